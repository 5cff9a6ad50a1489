"""Attacks against optima that are known in closed form, and the painter against the compositor."""

import numpy as np
import pytest
import torch
from facecloak_train.attacks.baselines import chessboard, random_sign
from facecloak_train.attacks.budgets import strongest, visibility, within
from facecloak_train.attacks.painting import Painter
from facecloak_train.attacks.universal import Part, ascend, margin_loss, pull
from hypothesis import given
from hypothesis import strategies as st

from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core import displacement, geometry
from facecloak.core.bank import Bank
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.types import Face, Frame
from facecloak.verify.crop import face_crop

CPU = torch.device("cpu")


def test_the_optimum_of_a_linear_objective_is_found():
    weight = torch.linspace(-1, 1, 48).reshape(3, 4, 4)
    (delta,) = ascend(
        [lambda faces, d: ((faces + d) * weight).sum((1, 2, 3))],
        [torch.rand(8, 3, 4, 4)] * 4,
        [Part(torch.zeros(3, 4, 4), 0.01, within(0.03))],
    )
    torch.testing.assert_close(delta, 0.03 * weight.sign())


def test_a_linear_classifier_is_fooled_at_the_radius_that_geometry_says():
    """Two classes with margin w.x + b: the L-infinity distance to the border is |w.x+b| / |w|_1."""
    weight = torch.linspace(-2, 2, 36)
    points = torch.rand(64, 36, generator=torch.Generator().manual_seed(0))
    bias = 1.0 - (points @ weight).min()  # every point is of class one, margin at least 1
    farthest = float((points @ weight + bias).max() / weight.abs().sum())

    def logits(x):
        margin = x @ weight + bias
        return torch.stack([torch.zeros_like(margin), margin], dim=1)

    labels = torch.ones(64, dtype=torch.long)
    for eps, expected in ((farthest * 1.01, 1.0), (farthest * 0.2, None)):
        (delta,) = ascend(
            [lambda x, d: margin_loss(logits(x + d), labels, 5.0)],
            [points] * 30,
            [Part(torch.zeros(36), eps / 5, within(eps))],
        )
        rate = float((logits(points + delta).argmax(1) != labels).float().mean())
        best = float((points @ weight + bias < eps * weight.abs().sum()).float().mean())
        assert rate == pytest.approx(best)
        assert expected is None or rate == expected


@given(st.floats(0.1, 10), st.floats(0.01, 20), st.integers(0, 1000))
def test_the_ball_is_never_left(eps, step, seed):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randn(5, 5, generator=generator) * 20
    start = torch.randn(5, 5, generator=generator) * 20
    (delta,) = ascend(
        [lambda faces, d: -((d - target) ** 2).sum() * torch.ones(len(faces))],
        [torch.zeros(2)] * 5,
        [Part(start, step, within(eps))],
    )
    assert delta.abs().max() <= eps * (1 + 1e-6)


def test_every_cell_keeps_a_budget_of_its_own():
    most = torch.tensor([[0.0, 1.0], [2.0, 8.0]])
    kept = within(most)(torch.tensor([[-3.0, -3.0], [-3.0, -3.0]]))
    assert kept.tolist() == [[0.0, -1.0], [-2.0, -3.0]]


def test_smooth_skin_gets_little_of_the_budget_and_texture_all_of_it():
    generator = torch.Generator().manual_seed(3)
    faces = torch.full((6, 1, 48, 48), 128, dtype=torch.uint8)
    noise = torch.randint(0, 256, (6, 1, 48, 24), generator=generator, dtype=torch.uint8)
    faces[..., 24:] = noise
    share = visibility(faces, 24, 0.25)
    assert torch.allclose(share[:, :10], torch.tensor(0.25))
    assert share[:, 14:].min() > 0.8
    assert share.max() == 1.0
    assert bool((visibility(faces, 24, 1.0) == 1.0).all())


def test_the_cells_that_add_most_are_kept_and_hang_together():
    gain = torch.full((8, 8), -0.1)
    gain[0] = 0.0  # not shown
    gain[4:6, 2:6] = 1.0
    gain[7, 7] = 0.5  # alone: what lies beside it takes away
    kept = strongest(gain, 8 / 56)
    assert torch.equal(kept, gain == 1.0)
    assert int(strongest(gain, 0.5).sum()) >= 28
    assert not strongest(gain, 1.0)[0].any()
    assert strongest(gain, 1.0)[1:].all()
    assert strongest(torch.zeros(4, 4), 0.3).all()
    hardly = torch.full((20, 20), -1.0)
    hardly[3, 3] = 1.0
    assert strongest(hardly, 0.5).sum() < 60  # what works against it is not painted


def test_the_pull_is_the_mean_gradient_each_victim_counted_alike():
    rows = torch.tensor([[3.0, -1.0], [1.0, 1.0]])
    far = torch.tensor([1e6, 1e6])
    (pulled,) = pull(
        [lambda batch, d: (batch * d).sum(1), lambda _, d: (d * far).sum()[None]],
        [rows[:1], rows[1:]],
        [torch.zeros(2)],
    )
    of_one = (torch.tensor([0.75, -0.25]) + torch.tensor([0.5, 0.5])) / 2
    torch.testing.assert_close(pulled, of_one + torch.tensor([0.5, 0.5]))
    with pytest.raises(ValueError, match="at least one batch"):
        pull([], [], [torch.zeros(2)])


def test_no_victim_outweighs_another():
    """Two linear victims of very different scale: the sign of the sum of normalised gradients."""
    one, other = torch.tensor([3.0, -1.0, 1.0]), torch.tensor([-1e6, -1e6, 3e6])
    (delta,) = ascend(
        [lambda _, d: (d * one).sum()[None], lambda _, d: (d * other).sum()[None]],
        [torch.zeros(1)] * 5,
        [Part(torch.zeros(3), 0.5, within(1.0))],
    )
    assert delta.tolist() == (one / 5 + other / 5e6).sign().tolist()


def test_parts_are_found_together_each_within_its_own_budget():
    (a, b) = ascend(
        [lambda _, a, b: (a * torch.tensor([1.0, -2.0])).sum()[None] + b.sum()[None]],
        [torch.zeros(1)] * 40,
        [
            Part(torch.zeros(2), 0.1, within(0.3)),
            Part(torch.zeros(4), 0.1, lambda v: v / v.norm().clamp_min(1.0)),
        ],
    )
    torch.testing.assert_close(a, torch.tensor([0.3, -0.3]))
    torch.testing.assert_close(b, torch.full((4,), 0.5))


def test_no_batches_is_an_error():
    with pytest.raises(ValueError, match="at least one batch"):
        ascend([lambda x, d: x + d], [], [Part(torch.zeros(1), 1.0, within(1.0))])


def test_margin_loss_is_the_lead_of_the_best_other_class():
    logits = torch.tensor([[3.0, 1.0, 2.0], [0.0, 9.0, 1.0]])
    loss = margin_loss(logits, torch.tensor([0, 0]), confidence=5.0)
    assert loss.tolist() == [-1.0, 5.0]


@pytest.mark.parametrize("cells", [8, 24, 32, 48])
def test_torch_paints_what_the_live_app_paints(cells):
    static = random_sign(cells, 8.0, seed=cells)
    header = Header(eps=8.0, method="t", seed=0, datasets=(), victims=())
    live = Perturbation(header, static).render(4 * 48)
    mean = live.reshape(48, 4, 48, 4).mean(axis=(1, 3))
    painted = Painter(48, 8.0, CPU).pattern(torch.tensor(static)).numpy()
    np.testing.assert_allclose(painted, mean, atol=1e-4)


@pytest.mark.parametrize("cells", [1, 4, 6, 12])
def test_torch_shifts_as_the_live_app_shifts(cells):
    field = np.random.default_rng(0).normal(0, 0.01, (2, cells, cells)).astype(np.float32)
    mean = displacement.render(field, 4 * 48).reshape(48, 4, 48, 4, 2).mean(axis=(1, 3))
    painted = Painter(48, 8.0, CPU).shift(torch.tensor(field), 48).numpy()
    np.testing.assert_allclose(painted, mean, atol=1e-6)


@pytest.mark.parametrize("face_px", [100, 224, 400])
@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_the_painter_shows_a_classifier_what_the_compositor_shows_it(face_px, angle):
    """Compositor, 8-bit rounding and crop against the painter; half a pixel off would give 5."""
    static = random_sign(16, 8.0, seed=2)
    header = Header(eps=8.0, method="t", seed=0, datasets=(), victims=())
    cos, sin = np.cos(angle) * face_px, np.sin(angle) * face_px
    linear = np.array([[cos, -sin], [sin, cos]])
    corner = np.array([300.4, 299.7]) - linear @ [0.5, 0.5]
    place = geometry.invert(np.hstack([linear, corner[:, None]]))
    frame = Frame(np.full((600, 600, 3), 128, np.uint8), 0.0, 0)
    out = OpenCvCloak(Bank.of(Perturbation(header, static.copy()))).apply(frame, [Face(1, place)])
    live = face_crop(out.image, place, 48).astype(float) - 128.0
    painted = Painter(48, 8.0, CPU).pattern(torch.tensor(static)).numpy()
    difference = np.abs(live - painted)
    assert difference.max() < 2.0
    assert difference.mean() < 0.4


@pytest.mark.parametrize("face_px", [100, 224, 400])
@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_the_painter_moves_a_face_as_the_compositor_moves_it(face_px, angle):
    """A smooth face through both; moved the other way, the likeness would be about -1."""
    field = np.random.default_rng(3).normal(0, 1, (2, 6, 6)).astype(np.float32)
    field *= 0.01 / displacement.largest(field)
    header = Header(eps=8.0, method="t", seed=0, datasets=(), victims=(), shift=0.011, strain=0.4)
    pattern = Perturbation(header, np.zeros((1, 1), np.float32), displacement=field.copy())
    cos, sin = np.cos(angle) * face_px, np.sin(angle) * face_px
    linear = np.array([[cos, -sin], [sin, cos]])
    corner = np.array([300.4, 299.7]) - linear @ [0.5, 0.5]
    place = geometry.invert(np.hstack([linear, corner[:, None]]))
    y, x = np.mgrid[:600, :600] * (2 * np.pi / (0.3 * face_px))
    face = np.rint(128 + 100 * np.sin(x) * np.cos(y)).astype(np.uint8)
    frame = Frame(np.repeat(face[..., None], 3, 2), 0.0, 0)
    before = face_crop(frame.image, place, 48)
    live = face_crop(OpenCvCloak(Bank.of(pattern)).apply(frame, [Face(1, place)]).image, place, 48)
    faces = torch.from_numpy(before)[None, None].float() / 255
    moved = Painter(48, 8.0, CPU).cloak(faces, torch.zeros(1, 1), torch.from_numpy(field.copy()))
    changed, expected = live - before.astype(float), moved[0, 0].numpy() * 255 - before
    assert np.abs(expected).max() > 12.0
    assert np.abs(changed - expected).max() < 5.0
    assert (changed * expected).sum() / (expected**2).sum() == pytest.approx(1.0, abs=0.1)


def test_cloaked_faces_are_whole_levels_and_pass_the_gradient_through():
    painter = Painter(48, 8.0, CPU)
    faces = torch.randint(0, 256, (4, 1, 48, 48)).float() / 255
    grid = torch.from_numpy(random_sign(8, 8.0, seed=1)).requires_grad_()
    field = torch.zeros(2, 6, 6, requires_grad=True)
    cloaked = painter.cloak(faces, grid, field)
    levels = cloaked.detach() * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    assert (cloaked - faces).abs().max() * 255 <= 8.001
    cloaked.sum().backward()
    for part in (grid, field):
        assert part.grad is not None
        assert part.grad.abs().sum() > 0


def test_baselines_use_the_whole_budget_and_nothing_else():
    for grid in (random_sign(24, 6.0, seed=1), chessboard(24, 6.0)):
        assert set(np.unique(grid)) == {-6.0, 6.0}
    assert abs(chessboard(24, 6.0).sum()) == 0
    assert not np.array_equal(random_sign(24, 6.0, seed=1), random_sign(24, 6.0, seed=2))
