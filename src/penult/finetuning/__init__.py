"""Fine-tuning: a new head on a backbone, and a backbone trained on; the folder that holds both."""
