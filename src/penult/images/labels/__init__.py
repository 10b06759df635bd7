"""What is known of an image beside its pixels."""
