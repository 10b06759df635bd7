"""A backbone is a network plus the preprocessing its weights were trained with."""

from penult.progress.notebook import keep_tqdm_quiet

keep_tqdm_quiet()  # before timm or huggingface_hub import it
