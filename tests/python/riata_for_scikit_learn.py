"""A plugin of pytest that puts riata's estimators in the place of scikit-learn's of the same names."""

import sklearn.linear_model

import riata

NAMES = (
    "ElasticNet", "ElasticNetCV", "Lasso", "LassoCV", "MultiTaskElasticNet", "MultiTaskElasticNetCV",
    "MultiTaskLasso", "MultiTaskLassoCV", "enet_path", "lasso_path",
)  # fmt: skip

for name in NAMES:
    setattr(sklearn.linear_model, name, getattr(riata, name))
