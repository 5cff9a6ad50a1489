import pytest
import torch
from facecloak_train.augment import augment, erase, mix, random_placement, ten_crop
from facecloak_train.settings import Jitter
from facecloak_train.warp import warp

STILL = Jitter(rotation_deg=0, shift=0, scale=0, contrast=0, brightness=0, flip=False)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_without_jitter_a_face_stays_as_it_is():
    faces = torch.rand(3, 1, 48, 48)
    torch.testing.assert_close(augment(faces, 48, STILL, generator()), faces, atol=1e-5, rtol=0)


def test_a_smaller_crop_shows_the_same_face():
    ramp = torch.linspace(0, 1, 48).expand(1, 1, 48, 48)
    small = augment(ramp, 24, STILL, generator())
    torch.testing.assert_close(
        small[0, 0, 0], ramp[0, 0, 0].reshape(24, 2).mean(1), atol=1e-4, rtol=0
    )


def test_the_same_seed_gives_the_same_faces_and_another_seed_others():
    faces = torch.rand(4, 1, 48, 48)
    one, again, other = (augment(faces, 44, Jitter(), generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.min() >= 0
    assert one.max() <= 1


def test_half_of_the_faces_are_mirrored_about_their_middle():
    faces = torch.rand(1, 1, 48, 48).expand(400, 1, 48, 48)
    only_flip = Jitter(rotation_deg=0, shift=0, scale=0, contrast=0, brightness=0, flip=True)
    placed = warp(faces, random_placement(400, 48, 48, only_flip, generator()), (48, 48))
    straight = (placed - faces).abs().amax((1, 2, 3)) < 1e-4
    mirrored = (placed - faces.flip(-1)).abs().amax((1, 2, 3)) < 1e-4
    assert (straight | mirrored).all()
    assert 140 < int(mirrored.sum()) < 260


def test_ten_crops_are_the_corners_the_centre_and_their_mirrors():
    faces = torch.arange(48 * 48.0).reshape(1, 1, 48, 48)
    crops = ten_crop(faces, 44)
    assert crops.shape == (10, 1, 1, 44, 44)
    assert [int(crop[0, 0, 0, 0]) for crop in crops[:5]] == [0, 4, 4 * 48, 4 * 48 + 4, 2 * 48 + 2]
    assert torch.equal(crops[5:], crops[:5].flip(-1))


def test_erasing_puts_noise_over_one_rectangle_of_some_faces():
    faces = torch.full((400, 1, 44, 44), 0.5)
    erased = erase(faces, 0.5, generator())
    changed = (erased != faces)[:, 0]
    hit = changed.any((1, 2))
    assert 140 < int(hit.sum()) < 260
    for face in changed[hit]:
        rows, columns = face.any(1), face.any(0)
        assert torch.equal(face, rows[:, None] & columns)  # a rectangle, filled
        for side in (rows, columns):
            at = side.nonzero()
            assert int(at[-1] - at[0]) + 1 == len(at)
    covered = changed[hit].float().mean((1, 2))
    assert covered.max() <= 0.37  # a third, and a pixel more on each side
    assert erased.min() >= 0
    assert erased.max() <= 1
    assert torch.equal(erase(faces, 0.0, generator()), faces)


def test_faces_are_mixed_as_what_is_wanted_of_them_is():
    """A face whose every pixel is its number tells what it was mixed of."""
    count = 400
    faces = torch.linspace(0, 1, count)[:, None, None, None].expand(-1, 1, 8, 8)
    wanted = torch.stack([faces[:, 0, 0, 0], 1 - faces[:, 0, 0, 0]], dim=1)
    mixed, answers = mix(faces, wanted, 0.2, generator())
    torch.testing.assert_close(answers[:, 0], mixed[:, 0, 0, 0])
    torch.testing.assert_close(answers.sum(1), torch.ones(count))
    assert torch.equal(mixed, mixed[:, :, :1, :1].expand(-1, 1, 8, 8))
    moved = (mixed - faces)[:, 0, 0, 0].abs()
    assert (moved > 0.01).float().mean() > 0.3
    assert (moved < 0.01).float().mean() > 0.2  # Beta(0.2, 0.2) is mostly near its ends
    assert mix(faces, wanted, 0.0, generator()) == (faces, wanted)
    again, _ = mix(faces, wanted, 0.2, generator())
    assert torch.equal(again, mixed)


def test_alpha_one_mixes_evenly():
    faces = torch.linspace(0, 1, 4000)[:, None, None, None]
    wanted = torch.eye(4000)
    _, answers = mix(faces, wanted, 1.0, generator())
    kept = answers.diagonal()
    assert kept.mean() == pytest.approx(0.5, abs=0.02)
    assert kept.var() == pytest.approx(1 / 12, abs=0.005)
