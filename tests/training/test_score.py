"""Figures of accuracy on cases that can be counted by hand, and the recipe on a tiny set."""

import json

import numpy as np
import pytest
from facecloak_train import run
from facecloak_train.data.fer2013 import DatasetError, read_npz
from facecloak_train.measure.accuracy import (
    CROWD,
    PRIVATE,
    SOLE,
    calibration_error,
    confusion_matrix,
    reliability_bins,
    unweighted_recall,
)
from facecloak_train.recipes.score_classifier import score_classifier
from facecloak_train.settings import ScoreSettings
from skimage.io import imread


def test_a_confusion_matrix_and_its_recall():
    truth, said = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 2])
    counts = confusion_matrix(truth, said, 4)
    assert counts.tolist() == [[2, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert unweighted_recall(counts) == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)


def test_calibration_of_one_who_is_surer_than_right():
    """Says 0.9 ten times and is right eight times; says 0.7 ten times and is right seven times."""
    sure = np.log(np.array([[0.9, 0.1]] * 10 + [[0.7, 0.3]] * 10, np.float32))
    truth = np.array([0] * 8 + [1] * 2 + [0] * 7 + [1] * 3)
    bins = reliability_bins(sure, truth, 5)
    assert [one["faces"] for one in bins] == [0, 0, 0, 10, 10]
    assert bins[4]["confidence"] == pytest.approx(0.9)
    assert bins[4]["accuracy"] == pytest.approx(0.8)
    assert calibration_error(bins) == pytest.approx(0.05)


def voted(tiny_faces, tmp_path, *clear):
    """Votes of a crowd that sees anger in some private faces and in all others nothing."""
    names = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear"
    crowd = [names + ",contempt,unknown,NF"]
    for split, faces in read_npz(tiny_faces).items():
        for number in range(len(faces)):
            sure = split == PRIVATE and number in clear
            crowd.append(f"{split},x,0,0,0,0,{10 * sure},0,0,0,{10 * (not sure)},0")
    votes = tmp_path / "votes.csv"
    votes.write_text("\n".join(crowd) + "\n")
    return votes


def test_the_report_counts_repeats_once_and_asks_the_crowd(tiny_weights, tiny_faces, tmp_path):
    """Each face of the tiny set is its own; the crowd says something of three, rightly of two."""
    votes, out = voted(tiny_faces, tmp_path, 0, 1, 7), tmp_path / "score" / "score.json"
    report = score_classifier(
        ScoreSettings(data=tiny_faces, weights=tiny_weights, out=out, ferplus=votes)
    )
    assert json.loads(out.read_text()) == report
    rows = report["rows"]
    assert rows[PRIVATE]["accuracy"] > 0.8
    assert rows[SOLE]["faces"] == rows[PRIVATE]["faces"] == 35
    assert rows[CROWD]["faces"] == 3
    assert rows[CROWD]["labels_agree"] == pytest.approx(2 / 3)
    assert np.sum(report["confusion"]) == 35
    for picture in ("confusion.png", "reliability.png"):
        assert imread(out.with_name(picture)).std() > 5


def test_votes_in_another_order_and_another_size_are_refused(tiny_weights, tiny_faces, tmp_path):
    votes, out = voted(tiny_faces, tmp_path, 0, 1, 2), tmp_path / "score.json"
    usual = {"data": tiny_faces, "weights": tiny_weights, "out": out}
    with pytest.raises(DatasetError, match=r"votes\.csv agrees with 33 % of the labels"):
        score_classifier(ScoreSettings(**usual, ferplus=votes))
    with pytest.raises(run.RunError, match="of 44 pixels, not 40; give --input-px 44"):
        score_classifier(ScoreSettings(**usual, input_px=40))
    assert not out.exists()


def weights_in(folder, tiny_weights):
    folder.mkdir()
    weights = folder / "best.safetensors"
    weights.write_bytes(tiny_weights.read_bytes())
    return weights


def test_the_report_tells_how_the_weights_were_trained(tiny_weights, tiny_faces, tmp_path):
    weights, out = weights_in(tmp_path / "trained", tiny_weights), tmp_path / "score.json"
    settings = ScoreSettings(data=tiny_faces, weights=weights, out=out)
    assert "fit_command" not in score_classifier(settings)
    run.describe(weights.parent, {"net": "resnet14"}, "0" * 64)
    told = run.command()
    assert score_classifier(settings)["fit_command"] == told
    assert json.loads(out.read_text())["fit_command"] == told


@pytest.mark.warns_in_log
@pytest.mark.parametrize("broken", ["{", "[]", "{}", "\udcff"])
def test_a_run_that_cannot_be_read_is_told_and_scored(
    tiny_weights, tiny_faces, tmp_path, caplog, broken
):
    weights = weights_in(tmp_path / "trained", tiny_weights)
    weights.with_name("run.json").write_text(broken, errors="surrogateescape")
    settings = ScoreSettings(data=tiny_faces, weights=weights, out=tmp_path / "score.json")
    assert "fit_command" not in score_classifier(settings)
    assert "run.json tells no command" in caplog.text
