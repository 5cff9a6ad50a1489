import itertools

import numpy as np
import pytest
from facecloak_train.data.releases import casme, casme2, casme_squared, schemes, smic
from facecloak_train.data.releases.release import Sample

from facecloak.core.errors import ConfigError

DATASETS = ("casme", "casme2", "casme-squared", "smic")


def merged(scheme, dataset, counts):
    """Clips of each class, if the release holds what it should."""
    totals = np.zeros(len(schemes.classes_of(scheme, dataset)), int)
    for label, count in counts.items():
        index = schemes.label_of(scheme, dataset, label)
        if index is not None:
            totals[index] += count
    return dict(zip(schemes.classes_of(scheme, dataset), totals.tolist(), strict=True))


@pytest.mark.parametrize("dataset", DATASETS)
def test_megc_has_the_same_three_classes_of_every_dataset(dataset):
    assert schemes.classes_of("megc", dataset) == ("negative", "positive", "surprise")


def test_megc_of_casme2_merges_as_the_challenge_does():
    found = merged("megc", "casme2", casme2.EXPECTED.labels)
    assert found == {"negative": 63 + 27, "positive": 32, "surprise": 25}
    assert sum(found.values()) == 147
    for label in ("others", "sadness", "fear"):
        assert schemes.label_of("megc", "casme2", label) is None


def test_megc_leaves_out_three_clips_by_name():
    given = {"frames": (), "numbers": (), "fps": 200.0, "apex": None, "label": "disgust"}
    out = Sample(dataset="casme2", subject="sub04", name="EP12_01f", **given)
    other = Sample(dataset="casme2", subject="sub05", name="EP12_01f", **given)
    assert schemes.label_of_sample("megc", out) is None
    assert schemes.label_of_sample("megc", other) == 0
    assert schemes.label_of_sample("five", out) == 1


def test_five_classes_of_casme2_hold_246_clips():
    found = merged("five", "casme2", casme2.EXPECTED.labels)
    assert len(found) == 5
    assert sum(found.values()) == 246


def test_original_keeps_labels_with_enough_clips():
    assert set(schemes.classes_of("original", "casme")) == {
        "tense",
        "disgust",
        "repression",
        "surprise",
    }
    assert len(schemes.classes_of("original", "casme2")) == 5
    for dataset, counts in (("casme", casme.EXPECTED.labels), ("casme2", casme2.EXPECTED.labels)):
        for label, count in counts.items():
            kept = schemes.label_of("original", dataset, label) is not None
            assert kept == (count >= schemes.LEAST)


def test_stcnn_has_the_counts_of_its_paper():
    found = merged("stcnn", "casme-squared", casme_squared.EXPECTED["videos"].labels)
    assert found == {"happy": 94, "angry": 76, "disgust": 36}
    assert schemes.label_of("stcnn", "casme-squared", "negative") is None
    assert schemes.classes_of("stcnn", "smic") == ("negative", "positive", "surprise")


def test_labels_are_indices_of_classes_or_dropped():
    labels = {*casme.LABELS.values(), *casme2.LABELS.values(), *smic.LABELS.values(), "happy", "x"}
    for scheme, dataset, label in itertools.product(schemes.SCHEMES, DATASETS, labels):
        try:
            classes = schemes.classes_of(scheme, dataset)
        except ConfigError:
            continue
        index = schemes.label_of(scheme, dataset, label)
        assert index is None or 0 <= index < len(classes)
        assert label != "x" or index is None


def test_what_there_is_not_is_refused():
    with pytest.raises(ConfigError, match=r"no class scheme 'seven'. Choose one of megc, original"):
        schemes.classes_of("seven", "casme")
    with pytest.raises(ConfigError, match=r"five is not for smic. Choose one of megc"):
        schemes.label_of("five", "smic", "negative")
