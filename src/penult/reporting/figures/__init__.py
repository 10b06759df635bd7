"""The figures: the confusion matrix and line charts, drawn without a display and without pyplot."""
