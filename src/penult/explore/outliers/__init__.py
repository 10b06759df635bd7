"""Images that are unlike others: rows far from their neighbours, pictures that are odd."""
