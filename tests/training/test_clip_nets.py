"""Classifiers of clips, and the dynamic image, against the published tables and closed forms."""

import cv2
import numpy as np
import pytest
import torch
from facecloak_train import nets
from facecloak_train.nets.clips import area_weights, dynamic_image, rank_pooling_weights


def numbers(net):
    statistics = sum(b.numel() for name, b in net.named_buffers() if "running" in name)
    return sum(p.numel() for p in net.parameters()) + statistics


@pytest.mark.parametrize(
    ("name", "classes", "frames", "count"),
    [
        ("stcnn", 3, 18, 1_643_267),
        ("stcnn", 3, 96, 44_241_667),
        ("fusenet-intermediate", 3, 96, 177_088_515),
        ("fusenet-late", 3, 96, 177_221_123),
        ("learnet", 5, 18, 1_866_757),
        ("learnet", 8, 18, 1_867_528),
    ],
)
def test_the_networks_are_the_published_ones(name, classes, frames, count):
    assert numbers(nets.build_for_clips(name, classes, frames)) == count


@pytest.mark.parametrize("name", sorted(nets.CLIP_NETS))
def test_a_clip_comes_in_and_logits_come_out(name):
    net = nets.build_for_clips(name, 3, 18).eval()
    clips = torch.rand(2, 18, 112, 112)
    with torch.no_grad():
        together, alone = net(clips), net(clips[1:])
    assert together.shape == (2, 3)
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-4)


def test_an_unknown_architecture_is_one_sentence():
    with pytest.raises(ValueError, match=r"'vgg19' for clips; there are fusenet-intermediate"):
        nets.build_for_clips("vgg19", 3, 18)


@pytest.mark.parametrize("name", ["stcnn", "fusenet-intermediate", "fusenet-late"])
def test_clips_that_are_too_short_are_one_sentence(name):
    with pytest.raises(ValueError, match="takes clips of 17 frames or more, not 16"):
        nets.build_for_clips(name, 3, 16)
    assert nets.build_for_clips(name, 3, 17).eval()(torch.rand(1, 17, 112, 112)).shape == (1, 3)


def test_rank_pooling_weights_are_the_closed_form():
    """Sum over all later prefixes, Bilen et al.'s equation 3 before it is simplified."""
    for frames in (2, 8, 18, 96):
        closed = [
            sum((2 * i - frames - 1) / i for i in range(t, frames + 1))
            for t in range(1, frames + 1)
        ]
        weights = rank_pooling_weights(frames)
        torch.testing.assert_close(weights, torch.tensor(closed), atol=1e-4, rtol=1e-5)
        assert weights.sum().abs() < 1e-4 * frames
    published = [-8.461, -1.461, 1.039, 2.039, 2.289, 2.089, 1.589, 0.875]
    torch.testing.assert_close(rank_pooling_weights(8), torch.tensor(published), atol=1e-3, rtol=0)


def test_a_still_change_leaves_no_trace_in_a_dynamic_image():
    clips = torch.rand(1, 18, 112, 112) * 0.5 + 0.25
    weights, still = rank_pooling_weights(18), 0.1 * torch.rand(112, 112)
    plain = dynamic_image(clips, weights)
    torch.testing.assert_close(dynamic_image(clips + still, weights), plain, atol=1e-4, rtol=0)
    moving = still * torch.linspace(0.0, 1.0, 18)[:, None, None]
    assert (dynamic_image(clips + moving, weights) - plain).abs().max() > 0.01


def test_a_clip_in_which_nothing_moves_has_a_plain_dynamic_image():
    image = dynamic_image(torch.full((1, 18, 112, 112), 0.3), rank_pooling_weights(18))
    assert image.abs().max() < 0.5
    assert torch.isfinite(image).all()


@pytest.mark.parametrize(("source", "target"), [(112, 64), (85, 32), (33, 32), (112, 112)])
def test_clips_shrink_as_opencv_shrinks_them(source, target):
    face = np.random.default_rng(0).random((source, source)).astype(np.float32)
    weights = area_weights(source, target)
    ours = (weights @ torch.from_numpy(face) @ weights.T).numpy()
    theirs = cv2.resize(face, (target, target), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_stcnn_does_not_see_what_stands_still():
    net = nets.build_for_clips("stcnn", 3, 18).eval()
    clips = torch.rand(1, 18, 112, 112)
    with torch.no_grad():
        torch.testing.assert_close(net(clips + torch.rand(112, 112)), net(clips), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("name", "frames"), [("stcnn", 18), ("stcnn", 26), ("fusenet-late", 18)])
def test_the_stage_is_the_three_dimensional_one(name, frames):
    stages = [
        module
        for module in nets.build_for_clips(name, 3, frames).eval().modules()
        if hasattr(module, "conv")
    ]
    size_px = 64 if name == "stcnn" else 32
    clips = torch.randn(2, 1, frames, size_px, size_px)
    for stage in stages:
        plain = torch.nn.functional.max_pool3d(torch.relu(stage.conv(clips)), 3).flatten(1)
        assert plain.shape[1] == stage.outputs
        torch.testing.assert_close(stage(clips), plain, atol=1e-5, rtol=1e-4)
