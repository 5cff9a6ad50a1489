"""Perturbations of clips: what changes with time is seen, what stands still is not."""

import json
import math
import shutil

import numpy as np
import pytest
import torch
from facecloak_train import nets, run
from facecloak_train.attacks.adverfacial import _wanted, adverfacial
from facecloak_train.attacks.temporal import (
    ClipPainter,
    beating,
    circular,
    moosavi_dezfooli,
    within_beat,
)
from facecloak_train.cli import main
from facecloak_train.measure.clips import clip_fooling
from facecloak_train.nets.clips import dynamic_image, rank_pooling_weights
from facecloak_train.recipes.attack_clips import attack_clips
from facecloak_train.recipes.fit_clips import fit_clip_classifier
from facecloak_train.settings import AttackClipsSettings, Beat, ClipTraining
from hypothesis import given
from hypothesis import strategies as st

from facecloak.core.perturbation import Header, Perturbation

GREY = torch.full((1, 18, 112, 112), 0.5)
NOTHING = torch.zeros(1, 1)


@pytest.mark.parametrize("levels", [2, 8])
def test_it_paints_as_the_live_perturbation_renders(levels):
    """At the soft edge of the oval, too, and where both together would leave the budget."""
    rng = np.random.default_rng(0)
    static = rng.uniform(-levels, levels, (8, 8)).astype(np.float32)
    circle = rng.uniform(-levels, levels, (24, 12, 12)).astype(np.float32)
    header = Header(eps=8, period_s=0.8, method="", seed=0, datasets=(), victims=())
    live = Perturbation(header, static, circle)
    painted = ClipPainter(112, 8.0).cloak(
        GREY, torch.tensor(static), torch.tensor(circle), torch.tensor([3])
    )
    for number in (0, 7, 17):
        exact = 127.5 + live.render(112, (3 + number) / 30)
        assert np.abs(255 * painted[0, number].numpy() - exact).max() < 1.0


@given(
    eps=st.floats(0.5, 16),
    seed=st.integers(0, 1000),
    start=st.integers(0, 100),
)
def test_nothing_leaves_the_budget_at_any_time(eps, seed, start):
    pair = within_beat(eps)(
        20 * torch.randn(2, 6, 6, generator=torch.Generator().manual_seed(seed))
    )
    assert pair.norm(dim=0).max() <= eps * (1 + 1e-5)
    circle = beating(pair, 24)
    assert circle.abs().max() <= eps * (1 + 1e-5)
    clips = (torch.rand(1, 4, 112, 112) * 255).round() / 255
    still = torch.full((3, 3), eps)
    painted = ClipPainter(112, eps).cloak(clips, still, circle, torch.tensor([start]))
    assert 255 * (painted - clips).abs().max() <= math.ceil(eps) + 1e-3
    torch.testing.assert_close(255 * painted, (255 * painted).round(), atol=1e-3, rtol=0)


def test_a_pair_goes_round_once():
    pair = torch.tensor([3.0, 4.0])[:, None, None].expand(-1, 2, 2)
    circle = beating(pair, 8)[:, 0, 0]
    torch.testing.assert_close(circle[::2], torch.tensor([3.0, 4.0, -3.0, -4.0]))


def test_a_circle_of_frames_goes_round_and_stays_in_its_budget():
    circle = torch.tensor([3.0, -2.0, 20.0])[:, None, None].expand(-1, 4, 4)
    grey = torch.full((1, 5, 112, 112), 128 / 255)
    painted = ClipPainter(112, 8.0).cloak(grey, NOTHING, circle, torch.tensor([1]))
    middle = 255 * (painted - grey)[0, :, 56, 56]
    torch.testing.assert_close(middle, torch.tensor([-2.0, 8.0, 3.0, -2.0, 8.0]), atol=1e-3, rtol=0)


def test_the_ascent_on_a_circle_finds_what_a_linear_classifier_of_changes_cannot_resist():
    """Such a classifier weighs frames with signs that come round after two: so does the circle."""
    signs = torch.tensor([1.0, -1.0]).repeat(3)

    def net(clips):
        lead = 1.0 - 80.0 * (clips.mean((2, 3)) * signs).mean(1).abs()
        return torch.stack([lead, -lead], dim=1)

    clips = torch.full((8, 6, 112, 112), 128, dtype=torch.uint8)
    how = Beat(frames=2, steps=30, batch=8, cells=4)
    painter = ClipPainter(112, 8.0)
    circle = circular([net], clips, painter, NOTHING, how)
    assert circle.shape == (2, 4, 4)
    means = circle.mean((1, 2))
    assert means[0] * means[1] < 0
    assert means.abs().min() > 6.0
    for start in (0, 1):
        seen = painter.cloak(clips.float() / 255, NOTHING, circle, torch.full((8,), start))
        assert (net(seen).argmax(1) == 1).all()


def test_a_still_pattern_does_not_change_a_dynamic_image_and_a_beating_one_always_does():
    generator = torch.Generator().manual_seed(0)
    signs = (torch.rand(3, 24, 24, generator=generator) < 0.5).float() * 2 - 1
    painter, weights = ClipPainter(112, 8.0), rank_pooling_weights(18)
    moving = GREY + 0.02 * torch.randn(1, 18, 112, 112, generator=generator)
    plain = torch.einsum("nthw,t->nhw", moving, weights)

    def change(static, circle, start):
        painted = painter.cloak(moving, static, circle, torch.tensor([start]))
        return float((torch.einsum("nthw,t->nhw", painted, weights) - plain).std())

    still = change(8 * signs[0], NOTHING[None], 0)
    circle = beating(within_beat(8.0)(8 * signs[1:]), 24)
    changes = [change(NOTHING, circle, start) for start in range(0, 24, 3)]
    assert still < 0.1 * min(changes)
    assert max(changes) < 1.5 * min(changes)
    assert dynamic_image(moving, weights).shape == (1, 1, 112, 112)


def test_moosavi_dezfooli_finds_the_border_of_a_linear_classifier():
    """All clips are on one side of a plane: the shortest still way across is known."""
    way = torch.zeros(112, 112)
    way[:56] = 1.0

    def net(clips):
        lead = ((clips - 0.5).mean(1) * way).sum((1, 2))
        return torch.stack([lead, -lead], dim=1)

    clips = torch.full((8, 4, 112, 112), 129, dtype=torch.uint8)
    still = moosavi_dezfooli(net, clips, 8.0, passes=2, batch=4)
    assert (net(clips.float() / 255 + still).argmax(1) == 1).all()
    assert still.shape == (1, 112, 112)
    assert 255 * still.abs().max() <= 8.0 + 1e-4
    assert still[0, 56:].abs().max() == 0.0
    assert (still[0, :56] < 0).all()


def test_adverfacial_depends_on_clips_and_an_untrained_network_alone():
    generator = torch.Generator().manual_seed(0)
    clips = torch.randint(0, 256, (2, 3, 112, 112), generator=generator).to(torch.uint8)
    before = torch.get_rng_state()
    one = adverfacial(clips, 1, passes=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert one.shape == (1, 112, 112)
    torch.testing.assert_close(one, adverfacial(clips, 1, passes=1))
    assert not torch.allclose(one, adverfacial(clips, 2, passes=1))
    assert not torch.allclose(one, adverfacial(clips[:1], 1, passes=1))


def test_a_frame_is_led_a_fifth_beyond_the_nearest_border():
    """Of a linear network, where the way is known."""
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2, 3))
    net[1].weight.data = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5]])
    net[1].bias.data.zero_()
    frame = torch.tensor([[[[0.4, 0.0]]]])
    # The class beside it is 0.4 away, the third (0.4 x - 0.5 y) / sqrt(1.25) = 0.358.
    way = _wanted(net, frame).flatten()
    expected = -1.2 * 0.4 / 1.25 * torch.tensor([1.0, -0.5])
    torch.testing.assert_close(way, expected, rtol=1e-3, atol=1e-3)


def test_the_worst_offset_counts():
    truth = np.array([0, 1, 2, 0])
    attacked = np.array([[1, 1, 1, 1], [0, 1, 2, 1]])
    figures = clip_fooling(truth, truth, attacked, np.array(list("aabb")), 3)
    assert figures["fooling_rate"] == pytest.approx(1 / 4)
    assert figures["mean_fooling_rate"] == pytest.approx((3 / 4 + 1 / 4) / 2)
    assert (figures["low"], figures["high"]) == (0.0, 0.5)
    assert figures["clean_uar"] == 1.0
    assert figures["uar"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert figures["sink_share"] == pytest.approx(2 / 4)
    assert figures["bits"] < figures["clean_bits"] == pytest.approx(1.5)


def test_every_fold_is_attacked_on_people_it_never_saw(tiny_clips, clip_settings, tmp_path):
    fit_clip_classifier(clip_settings(tiny_clips, tmp_path / "run"))
    settings = AttackClipsSettings(
        data=tiny_clips,
        runs=(tmp_path / "run",),
        out=tmp_path / "attack.json",
        offsets=2,
        beat=Beat(steps=6, batch=6, cells=4),
    )
    report = attack_clips(settings)
    assert json.loads(settings.out.read_text()) == json.loads(json.dumps(report))
    assert {row["method"] for row in report["rows"]} == {
        "Moosavi-Dezfooli, still",
        "AdverFacial as published, without a bound",
        "AdverFacial as published, then cut to the budget",
        "random signs, still",
        "random signs, beating",
        "FaceCloak, a circle of frames",
        "FaceCloak, beating",
    }
    for row in report["rows"]:
        assert (row["net"], row["clips"], row["subjects"]) == ("tiny", 36, 4)
        assert row["clean_uar"] > 0.9
    assert report["published_levels"] > 0
    still = [row for row in report["rows"] if row["method"].endswith(("still", "budget"))]
    assert len(still) == 3
    assert all(row["fooling_rate"] == 0.0 for row in still)  # it looks at changes alone


@pytest.mark.warns_in_log
def test_the_table_has_what_is_measured_and_what_is_not(tiny_clips, clip_settings, tmp_path):
    runs = tmp_path / "runs"
    fit_clip_classifier(clip_settings(tiny_clips, runs / "synthetic/stcnn"))
    folds = runs / "synthetic/stcnn"
    attack_clips(
        AttackClipsSettings(
            data=tiny_clips,
            runs=(folds,),
            out=runs / "synthetic/attack.json",
            offsets=1,
            folds=1,
            beat=Beat(steps=3, batch=3, cells=4),
        )
    )
    assert main(["table", "micro", "--runs", str(runs), "--out", str(tmp_path / "micro.md")]) == 0
    rows = (tmp_path / "micro.md").read_text().splitlines()
    measured = next(row for row in rows if row.startswith("| synthetic stand-in | MicroExpSTCNN"))
    assert "| loso | 36, 4, 3 |" in measured
    assert any("| CAS(ME)^2 | MicroExpSTCNN | not measured" in row for row in rows)
    assert any("| 87.80 % |" in row for row in rows)
    assert sum(row.startswith("| tiny |") for row in rows) == 7
    assert (tmp_path / "micro.png").stat().st_size > 5000
    shutil.rmtree(runs / "synthetic")
    assert main(["table", "micro", "--runs", str(runs), "--out", str(tmp_path / "micro.md")]) == 4


def test_a_run_that_is_not_finished_is_one_sentence(tiny_clips, clip_settings, tmp_path):
    (tmp_path / "run").mkdir()
    settings = AttackClipsSettings(
        data=tiny_clips, runs=(tmp_path / "run",), out=tmp_path / "attack.json"
    )
    with pytest.raises(run.RunError, match="no finished run of `fit-clips --protocol loso`"):
        attack_clips(settings)
    fit_clip_classifier(clip_settings(tiny_clips, tmp_path / "run", protocol="80-20"))
    with pytest.raises(run.RunError, match="no finished run"):
        attack_clips(settings)
    assert "tiny" in nets.CLIP_NETS


def test_runs_that_cannot_be_told_apart_or_see_other_lengths_are_refused(
    tiny_clips, clip_settings, tmp_path, monkeypatch
):
    monkeypatch.setitem(nets.CLIP_NETS, "twin", nets.CLIP_NETS["tiny"])
    folders = {}
    for name, how in {"a": {}, "b": {}, "c": {"net": "twin", "frames": 8}}.items():
        folders[name] = tmp_path / name
        training = ClipTraining(epochs=1, batch=27)
        fit_clip_classifier(clip_settings(tiny_clips, folders[name], training=training, **how))
    usual = {"data": tiny_clips, "out": tmp_path / "attack.json"}
    with pytest.raises(run.RunError, match="more than once, tiny, tiny; give one run of each"):
        attack_clips(AttackClipsSettings(runs=(folders["a"], folders["b"]), **usual))
    with pytest.raises(run.RunError, match=r"several lengths, \[6, 8\]; take those of one"):
        attack_clips(AttackClipsSettings(runs=(folders["a"], folders["c"]), **usual))
