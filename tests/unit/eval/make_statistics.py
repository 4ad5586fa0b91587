"""Writes statistics.json: answers of scipy, scikit-learn and plain definitions in O(n^2).

    python3 make_statistics.py > statistics.json        (numpy, scipy, scikit-learn)
"""

import json
import sys

import numpy as np
import scipy
import sklearn
from scipy import optimize, special, stats
from sklearn import metrics

rng = np.random.default_rng(5)


def study(patients, images, mixed=0):
    """Clustered scores with ties; `mixed` patients hold images of both kinds."""
    group, target, first, second = [], [], [], []
    for i in range(patients):
        label = int(i % 5 < 3)
        effect = rng.normal()
        for _ in range(int(rng.integers(1, images + 1))):
            one = int(rng.integers(2)) if i < mixed else label
            logit = 1.2 * (one - 0.5) + effect + rng.normal()
            group.append(f"p{i:02d}")
            target.append(one)
            first.append(round(float(special.expit(logit)), 2))
            second.append(round(float(special.expit(1.5 * logit + 0.8 * rng.normal())), 2))
    return dict(group=group, target=target, first=first, second=second)


def wins(s):
    """psi[i, j]: does positive i score above negative j, a tie half."""
    return lambda score: np.array(
        [[(a > b) + 0.5 * (a == b) for b in score[s == 0]] for a in score[s == 1]], float)


def obuchowski(target, group, psi):
    """Obuchowski 1997, as written there, cluster by cluster."""
    area, m, n = psi.mean(), *psi.shape
    pos, neg = group[target == 1], group[target == 0]
    names = np.unique(group)
    v10 = np.array([psi[pos == g].mean(1).sum() - (pos == g).sum() * area for g in names])
    v01 = np.array([psi[:, neg == g].mean(0).sum() - (neg == g).sum() * area for g in names])
    i, i10, i01 = len(names), len(set(pos)), len(set(neg))
    s10 = i10 / ((i10 - 1) * m) * (v10**2).sum()
    s01 = i01 / ((i01 - 1) * n) * (v01**2).sum()
    s11 = i / (i - 1) * (v10 * v01).sum()
    a, b = s10 / m, s01 / n
    df = (a + b) ** 2 / (a**2 / (i10 - 1) + b**2 / (i01 - 1))
    return dict(estimate=area, variance=a + b + 2 / (m * n) * s11, df=df)


def bca(s):
    """scipy's intervals of the AUC, patients drawn within their class."""
    t, f, g = np.array(s["target"]), np.array(s["first"]), np.array(s["group"])
    names = list(dict.fromkeys(s["group"]))
    strata = [np.array([i for i, n in enumerate(names) if t[g == n][0] == k]) for k in (0, 1)]
    won = np.array([[wins_between(f[g == p], f[g == n]) for n in names] for p in names])
    count = np.array([(g == n).sum() for n in names], float)

    def auc(negative, positive, axis=-1):
        n, p = negative.astype(int), positive.astype(int)
        sums = won[p[..., :, None], n[..., None, :]].sum((-1, -2))
        return sums / (count[p].sum(-1) * count[n].sum(-1))

    result = {}
    for method in ("percentile", "BCa"):
        r = stats.bootstrap(strata, auc, n_resamples=200000, batch=20000, vectorized=True,
                            method=method, random_state=np.random.default_rng(1))
        result[method] = list(r.confidence_interval)
    result["standard_error"] = float(r.standard_error)
    return result


def wins_between(a, b):
    return float(((a[:, None] > b) + 0.5 * (a[:, None] == b)).sum())


def temperature(n, classes, sharp):
    logits = rng.normal(size=(n, classes)).astype(np.float32)
    target = np.array([rng.choice(classes, p=special.softmax(row)) for row in logits.astype(float)])
    logits = (logits * np.float32(sharp)).astype(np.float32)
    wide = logits.astype(float)

    def loss(log_t):
        z = wide / np.exp(log_t)
        return float(np.mean(special.logsumexp(z, axis=1) - z[np.arange(n), target]))

    best = optimize.minimize_scalar(loss, bracket=(-2, 2), tol=1e-12)
    return dict(classes=classes, target=target.tolist(), logits=logits.ravel().tolist(),
                temperature=float(np.exp(best.x)), before=loss(0.0), after=float(best.fun))


def main():
    studies = []
    for patients, images, mixed in ((17, 6, 0), (24, 4, 5), (40, 1, 0)):
        s = study(patients, images, mixed)
        t, g = np.array(s["target"]), np.array(s["group"])
        a, b = np.array(s["first"]), np.array(s["second"])
        alone = np.arange(len(t))
        psi_a, psi_b = wins(t)(a), wins(t)(b)
        s["auc"] = obuchowski(t, g, psi_a)
        s["difference"] = obuchowski(t, g, psi_b - psi_a)
        s["delong"] = obuchowski(t, alone, psi_b - psi_a)
        decided_a, decided_b = (a >= 0.5).astype(int), (b >= 0.5).astype(int)
        only_a = int(((decided_a == t) & (decided_b != t)).sum())
        only_b = int(((decided_b == t) & (decided_a != t)).sum())
        s["mcnemar"] = stats.binomtest(only_a, only_a + only_b).pvalue
        s["only"] = [only_a, only_b]
        s["kappa"] = metrics.cohen_kappa_score(decided_a, decided_b)
        if not mixed:
            s["bootstrap"] = bca(s)
        studies.append(s)
    out = dict(
        made_with=f"numpy {np.__version__}, scipy {scipy.__version__}, "
                  f"scikit-learn {sklearn.__version__}",
        studies=studies,
        temperature=[temperature(60, 2, 4.0), temperature(80, 3, 0.3)],
        student=[[p, df, float(stats.t.ppf(p, df))]
                 for p in (0.6, 0.975, 0.999) for df in (1, 3.7, 40)],
        normal=[[p, float(stats.norm.ppf(p))] for p in (1e-6, 0.025, 0.5, 0.9)],
        binomial=[[k, n, float(stats.binomtest(k, n).pvalue)] for k, n in ((0, 5), (3, 11), (20, 50))],
    )
    json.dump(out, sys.stdout, separators=(",", ":"))
    print()


main()
