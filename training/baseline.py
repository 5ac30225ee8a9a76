"""What every shipped model must beat: TF-IDF and logistic regression, trained on the same files."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from training.data import TextSet, merged


def train_baseline(sets: Mapping[str, TextSet]) -> Pipeline:
    """The plain mix of all train sets: words and pairs of words, as most tutorials have it."""
    together = merged("train", list(sets.values()))
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=300_000)
    pipeline = make_pipeline(words, LogisticRegression(C=4.0, max_iter=300))
    return pipeline.fit(together.texts, together.labels)


def baseline_score(baseline: Pipeline, texts: Sequence[str]) -> NDArray[np.float64]:
    """Its probability for each text."""
    return np.asarray(baseline.predict_proba(texts)[:, 1], dtype=np.float64)
