"""Makes reference.csv: a fixed small table and the scores scikit-learn gives its rows.

    pip install scikit-learn==1.9.1 numpy==2.4.6 && python reference.py > reference.csv

The columns x, y, u, w are the table; `score` is the mean of -score_samples over 20 forests of 500 trees
(random_state 0 to 19, max_samples 256), whose standard error is below 0.001.
"""
import numpy as np
from sklearn.ensemble import IsolationForest

random = np.random.default_rng(20)
rows = np.vstack([
    np.column_stack([random.normal(0, 1, 200), random.normal(0, 1, 200), random.uniform(0, 10, 200), random.lognormal(0, 1, 200)]),
    np.column_stack([random.normal(6, 0.5, 90), random.normal(-4, 2, 90), random.uniform(0, 10, 90), random.lognormal(0, 1, 90)]),
    [[12, 0, 5, 1], [3, -1, 5, 1], [0, 0, 30, 1], [0, 0, 5, 80], [-6, 8, -4, 0.1], [6, -4, 5, 1], [0, 0, 5, 1], [0, 0, 5, 1], [20, 20, 20, 20], [3, 3, 3, 3]],
]).round(3)
scores = np.mean([-IsolationForest(n_estimators=500, max_samples=256, random_state=seed).fit(rows).score_samples(rows)
                  for seed in range(20)], axis=0)
print("x,y,u,w,score")
for row, score in zip(rows, scores):
    print(",".join(f"{value:g}" for value in row) + f",{score:.5f}")
