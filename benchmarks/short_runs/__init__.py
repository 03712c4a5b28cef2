"""Many runs that do nothing, tracked in MLflow: what everything beside a training costs.

Ours beside Optuna with MLflow's callback, a loop of joblib with plain MLflow, and submitit's local
executor with plain MLflow, each in a process of its own, in turns. Ours alone survives a kill: the
others begin again, or do twice what was done.
"""
