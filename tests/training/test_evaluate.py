"""The measurement at the far end of calls, by its command, on a few faces."""

import contextlib
import json

import cv2
import numpy as np
import pytest
from facecloak_train import evaluation
from facecloak_train.cli import main
from facecloak_train.data.fer2013 import Faces, write_npz
from facecloak_train.measure import codec, far_end
from facecloak_train.measure.report import evaluate_markdown
from facecloak_train.recipes import evaluate_fooling
from facecloak_train.settings import EvaluateSettings
from skimage.data import astronaut
from skimage.io import imread

from facecloak.core import artifacts, bank

LEGS = ("lossless", "h264-180p-150", "av1-180p-150")


@pytest.fixture
def data(tmp_path):
    grey = cv2.cvtColor(astronaut()[37:157, 169:289], cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (48, 48), interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(0)
    images = np.stack([np.clip(small + rng.normal(0, 2, (48, 48)), 0, 255) for _ in range(12)])
    images[3] = 0  # nobody
    images, labels = images.astype(np.uint8), np.array([3, 3, 3, 6] * 3)
    path = tmp_path / "faces.npz"
    splits = {
        "PrivateTest": Faces(images[:4], labels[:4]),
        "PublicTest": Faces(images[4:8], labels[4:8]),
        "Training": Faces(images[8:], labels[8:]),
    }
    write_npz(path, splits)
    return path


@pytest.fixture
def asked(data, tiny_weights, tmp_path):
    """Makes settings of a small measurement."""

    def make(**changes):
        usual = {
            "data": data,
            "perturbation": artifacts.perturbation("default"),
            "models": (
                *(path for path in artifacts.models() if path.stem == "resnet14"),
                tiny_weights,
            ),
            "out": tmp_path / "report" / "evaluate.json",
            "legs": LEGS,
            "landmark_faces": 4,
            "pictures": 4,
        }
        return EvaluateSettings(**usual | changes)

    return make


@pytest.mark.slow
def test_a_report_a_table_and_a_picture(asked):
    settings = asked(strengths=(1.0, 2.0), parts=True)
    report = evaluate_fooling.evaluate_fooling(settings)
    assert json.loads(settings.out.read_text()) == report
    assert (report["faces"], report["found"]) == (4, 3)
    kinds = ("FaceCloak", "pattern alone", "displacement alone", "random sign")
    rows = {
        (row["strength"], row["leg"], row["classifier"], row["perturbation"]): row
        for row in report["rows"]
    }
    legs = [codec.LEGS[key].name for key in LEGS if not codec.missing(codec.LEGS[key])]
    assert set(rows) == {
        (strength, leg, name, kind)
        for strength in (1.0, 2.0)
        for leg in legs
        for name in ("ResNet14", "run", "landmark rule")
        for kind in kinds
    }
    assert len(rows) == len(report["rows"])
    for row in rows.values():
        assert row["faces"] == 3
        assert row["low"] <= row["fooling_rate"] <= row["high"]
    clean = {row["clean_accuracy"] for row in rows.values() if row["leg"] == "lossless"}
    assert len(clean) <= 3  # of each classifier the same, whatever stands beside it
    attacked = {name: about["attacked"] for name, about in report["classifiers"].items()}
    assert attacked == {"ResNet14": True, "run": False, "landmark rule": False}
    seen = report["seen"]
    assert seen["displacement alone x1"]["added"]["psnr_db"] == 99.0
    assert seen["pattern alone x1"]["added"] == seen["pattern alone x1"]["moved"]
    assert seen["FaceCloak x2"]["added"]["flip"] > seen["FaceCloak x1"]["added"]["flip"]
    assert seen["FaceCloak x1"]["moved"]["flip"] > seen["FaceCloak x1"]["added"]["flip"]
    assert report["landmark_rule"]["faces"] == 4
    table = settings.out.with_suffix(".md").read_text()
    assert "| 2 | lossless | **ResNet14** |" in table
    assert "| 1 | H.264 180p 150 kb/s | landmark rule |" in table
    assert report["command"] in table
    assert imread(settings.out.with_suffix(".png")).std() > 5
    assert imread(settings.out.with_name(f"{settings.out.stem}-price.png")).std() > 5
    panels = evaluate_fooling.price_panels(report)
    assert [panel.title for panel in panels] == [
        f"{name}, lossless" for name in ("ResNet14", "run", "landmark rule")
    ]
    for panel in panels:
        assert tuple(panel.lines) == kinds
        for kind, points in panel.lines.items():
            paid = [seen[f"{kind} x{strength}"]["moved"]["flip"] for strength in (1, 2)]
            assert [cost for cost, _ in points] == paid
            fooled = [rows[s, "lossless", panel.title.split(",")[0], kind] for s in (1.0, 2.0)]
            assert [rate for _, rate in points] == [100 * row["fooling_rate"] for row in fooled]
    assert report["looked_at"] == 1
    assert "in every tenth (1 face)" in table
    assert not settings.out.with_suffix(".progress").exists()


@pytest.mark.slow
def test_what_is_fitted_to_each_face_stands_beside_what_is_for_all(asked):
    settings = asked(
        legs=("lossless",), landmarks=False, tailor=artifacts.gradients(), tailor_steps=24
    )
    report = evaluate_fooling.evaluate_fooling(settings)
    rates = {
        (row["classifier"], row["perturbation"]): row["fooling_rate"] for row in report["rows"]
    }
    assert {kind for _, kind in rates} == {"FaceCloak", "not fitted", "random sign"}
    assert rates["ResNet14", "FaceCloak"] > rates["ResNet14", "not fitted"] == 0.0
    added = {name: part["added"]["psnr_db"] for name, part in report["seen"].items()}
    assert added["FaceCloak x1"] > added["random sign x1"] - 1.0
    assert report["made_against"].count("ResNet14, hardened") == 1
    assert "ConvNeXt" in report["made_against"]
    assert "convnext" not in report["made_against"]  # as its file is called
    table = settings.out.with_suffix(".md").read_text()
    assert "Fitted to each face, from the perturbation for all faces, with ConvNeXt" in table


@pytest.mark.slow
def test_fitted_from_nothing_only_the_networks_of_the_gradients_count_as_attacked(asked):
    others = tuple(path for path in artifacts.gradients() if not path.stem.startswith("resnet14"))
    settings = asked(legs=("lossless",), landmarks=False, tailor=others, from_scratch=True)
    report = evaluate_fooling.evaluate_fooling(settings)
    assert report["made_against"] == ["ConvNeXt", "MobileNetV2"]
    assert not any(about["attacked"] for about in report["classifiers"].values())
    assert "Fitted to each face, from nothing" in settings.out.with_suffix(".md").read_text()


@pytest.mark.slow
def test_a_killed_measurement_goes_on_with_the_faces_that_are_left(asked, monkeypatch):
    settings = asked(legs=("lossless",), landmarks=False)
    whole = evaluate_fooling.evaluate_fooling(settings)
    captured, real, kill = [], far_end.capture, True

    def counted(image, *given, **named):
        captured.append(image.sum())
        if kill and len(captured) == 4:
            raise KeyboardInterrupt
        return real(image, *given, **named)

    monkeypatch.setattr(far_end, "capture", counted)
    monkeypatch.setattr(far_end, "_TOGETHER", 1)
    with pytest.raises(KeyboardInterrupt):
        evaluate_fooling.evaluate_fooling(settings)
    kill = False
    again = evaluate_fooling.evaluate_fooling(settings)
    assert len(captured) < 4 + 4
    assert again["rows"] == whole["rows"]


@pytest.mark.slow
def test_several_processes_find_what_one_finds(asked):
    models = tuple(path for path in artifacts.models() if path.stem == "resnet14")
    told = [
        evaluate_fooling.evaluate_fooling(asked(models=models, workers=workers))
        for workers in (1, 2)
    ]
    one, two = (
        {key: of[key] for key in ("rows", "found", "seen", "sent_kbps", "classifiers")}
        for of in told
    )
    assert one == two
    assert one["found"] == 3


@pytest.mark.slow
def test_what_is_fitted_to_a_face_hangs_on_no_other_face(asked):
    """Faces measured one by one, as a process measures one share after the other, and at once."""
    tailor = tuple(path for path in artifacts.gradients() if path.stem == "mobilenet")
    settings = asked(tailor=tailor, landmarks=False, legs=("lossless",))
    with contextlib.ExitStack() as entered:
        measure = evaluation.Evaluation(settings).measure(entered)
        apart = [row for number in range(4) for rows in measure([number]) for row in rows]
        at_once = [row for rows in evaluation.Evaluation(settings).measure(entered)(range(4))
                   for row in rows]  # fmt: skip
    assert apart == at_once


def test_no_process_measures_nothing(asked):
    with pytest.raises(ValueError, match="--workers is 0; give 1 or more"):
        evaluate_fooling.evaluate_fooling(asked(workers=0))


@pytest.mark.slow
def test_legs_that_this_machine_lacks_are_left_out_with_the_reason(asked, monkeypatch):
    real = codec.missing
    monkeypatch.setattr(
        evaluation,
        "missing",
        lambda leg: "there is no encoder" if leg.codec == "av1" else real(leg),
    )
    report = evaluate_fooling.evaluate_fooling(asked(landmarks=False, faces=1))
    assert report["skipped"] == {"AV1 180p 150 kb/s": "there is no encoder"}
    assert {row["leg"] for row in report["rows"]} == {"lossless", "H.264 180p 150 kb/s"}
    assert "- AV1 180p 150 kb/s is left out: there is no encoder." in evaluate_markdown(report)
    with pytest.raises(ValueError, match="over none of these legs"):
        evaluate_fooling.evaluate_fooling(asked(legs=("av1-180p-150",)))


@pytest.mark.slow
def test_figures_can_be_recorded_in_the_header(asked, tmp_path):
    own = tmp_path / "own.safetensors"
    bank.load(artifacts.perturbation("default")).save(own)
    report = evaluate_fooling.evaluate_fooling(
        asked(perturbation=own, legs=("lossless",), landmarks=False, record=True)
    )
    measured = bank.load(own).header.measured
    ours = {row["classifier"]: row for row in report["rows"] if row["perturbation"] == "FaceCloak"}
    for name, row in ours.items():
        for figure in ("fooling_rate", "low", "high", "uar", "sink_share", "bits_beyond_chance"):
            assert measured[f"{name}, lossless, {figure}"] == row[figure]
    for row in report["rows"]:
        if row["perturbation"] == "random sign":
            noise = measured[f"{row['classifier']}, lossless, random sign, fooling_rate"]
            assert noise == row["fooling_rate"]
    assert measured["added, psnr_db"] == report["seen"]["FaceCloak x1"]["added"]["psnr_db"]


@pytest.mark.warns_in_log
def test_a_leg_that_nobody_knows_is_one_sentence(asked, caplog):
    settings = asked()
    words = f"--data {settings.data} --perturbation {settings.perturbation} --out {settings.out}"
    models = f"--models {settings.models[0]} --legs vp8-720p-900"
    assert main(f"evaluate {words} {models}".split()) == 4
    assert "there is no leg 'vp8-720p-900'" in caplog.text


def figures(fooling_rate, faces=10):
    names = ("low", "high", "accuracy", "clean_accuracy", "uar", "clean_uar", "sink_share")
    bits = {"bits": 0.3, "bits_beyond_chance": 0.16, "clean_bits_beyond_chance": 1.1}
    bits |= {"bits_beyond_chance_low": 0.06, "bits_beyond_chance_high": 0.26}
    return dict.fromkeys(names, 0.5) | bits | {"fooling_rate": fooling_rate, "faces": faces}


def told(classifiers, rates, **changes):
    """A report on one leg; ``rates`` are those of the perturbation, a fifth of them the noise's."""
    rows = [
        {"strength": 1.0, "leg": "lossless", "classifier": name, "perturbation": kind}
        | figures(share * rate)
        for name, rate in zip(classifiers, rates, strict=True)
        for kind, share in (("FaceCloak", 1.0), ("random sign", 0.2))
    ]
    plain = {"attacked": False, "control": False}
    usual = {
        "rows": rows,
        "classifiers": {
            name: plain | {"architecture": name} | about for name, about in classifiers.items()
        },
        "made_against": ["VGG19", "ResNet14"],
        "command": "facecloak-train evaluate",
        "found": 9,
        "faces": 10,
        "eps": 4.0,
        "shift": 0.01,
        "pictures": 16,
        "classes": 7,
        "camera_noise": 2.0,
        "sent_kbps": {},
        "skipped": {},
        "seen": {},
    }
    return evaluate_markdown(usual | changes)


def test_only_architectures_that_were_never_seen_are_in_the_mean():
    table = told(
        {
            "ResNet14": {"attacked": True, "architecture": "resnet14"},
            "other weights": {"architecture": "resnet14"},
            "hardened": {"architecture": "vgg19"},  # VGG19 was attacked, though not measured here
            "vit a": {"architecture": "vit"},
            "vit b": {"architecture": "vit"},
            "mobilenet": {},
            "landmark rule": {"control": True},
        },
        (0.9, 0.8, 0.7, 0.4, 0.6, 0.3, 0.1),
    )
    # The two of one architecture count as one: (0.5 + 0.3) / 2.
    mean = "| *mean of 2 architectures never seen* | 40.0 %, 5.0 times the noise | 8.0 % |"
    assert mean in table
    assert table.count("mean of") == 1
    assert "| **ResNet14** | 90.0 % (50.0 - 50.0) | 18.0 % (50.0 - 50.0) |" in table


def test_without_an_unseen_architecture_there_is_no_mean():
    assert "mean of" not in told({"ResNet14": {"architecture": "resnet14"}}, (0.5,))


def test_bits_stand_beyond_chance_with_their_interval_and_what_they_were():
    table = told({"ResNet14": {"attacked": True}}, (0.5,))
    assert "| 50.0 %, 50.0 % | 0.16 (0.06 - 0.26), 1.10 | 50 % | 10 |" in table
    assert "tell nothing, 0.14 to 0.14 bit here" in table


def test_every_row_has_the_cells_of_its_head():
    rows = [
        {"strength": 1.0, "leg": "lossless", "classifier": name, "perturbation": kind}
        | (figures(0.5) if name == "vit" else {"faces": 0})
        for name in ("vit", "blind")
        for kind in ("FaceCloak", "pattern alone", "random sign")
    ]
    table = told({"vit": {}, "blind": {"control": True}}, (0.5, 0.5), rows=rows)
    lines = [line for line in table.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 2 + 1
    assert len({line.count("|") for line in lines}) == 1
    assert "| blind | no face is found |" in table


@pytest.mark.parametrize(
    ("changes", "why"),
    [({}, "takes gradients"), ({"tailor": artifacts.gradients()[:1], "record": True}, "--record")],
    ids=["without gradients", "and recorded"],
)
def test_a_fit_from_nothing_that_cannot_be_is_refused_before_the_work(asked, changes, why):
    with pytest.raises(ValueError, match=why):
        evaluate_fooling.evaluate_fooling(asked(from_scratch=True, **changes))
