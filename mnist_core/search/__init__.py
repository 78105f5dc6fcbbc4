"""A search for good hyperparameters: what to vary, Optuna's study, and the loop that trains its trials."""
