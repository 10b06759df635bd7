"""How rows are divided (splits, folds, groups), and what else every task on rows needs."""
