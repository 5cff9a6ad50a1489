"""Teachers and a crowd beside the labels."""

import dataclasses

import numpy as np
import pytest
import torch
from facecloak_train import nets, run
from facecloak_train.crew import Crew
from facecloak_train.data.fer2013 import LABELS, DatasetError, Faces, read_npz, write_npz
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.run import load_checkpoint
from facecloak_train.teachers import crowd_taught, taught
from facecloak_train.training import Training

from facecloak.core import artifacts
from tests.fakes.fits import assert_same, fit_until_saved, settings


def test_teachers_are_part_of_the_target(tiny_net, tiny_faces, tmp_path, monkeypatch):
    """A teacher that is right teaches a student whose labels are all wrong."""
    teacher = tmp_path / "teacher"
    assert fit_classifier(settings(tiny_faces, teacher, epochs=12)) > 0.9
    splits = read_npz(tiny_faces)
    wrong = splits | {
        "Training": Faces(splits["Training"].images, (splits["Training"].labels + 1) % 7)
    }
    write_npz(tmp_path / "wrong.npz", wrong)
    best = teacher / "best.safetensors"
    told, untold = (
        fit_classifier(
            settings(
                tmp_path / "wrong.npz",
                tmp_path / f"student{share}",
                epochs=12,
                teachers=(best, best),
                teachers_share=share,
            )
        )
        for share in (0.9, 0.0)
    )
    assert told > 0.7
    assert untold < 0.4
    taught, about = run.load_checkpoint(tmp_path / "student0.9" / "taught.safetensors")
    assert about["teachers"] == [run.digest_of(best)] * 2
    torch.testing.assert_close(taught["probabilities"].sum(1), torch.ones(140))


def asked_of_a_batch(about):
    """What the network is to answer to the first batch of a run that changes no face."""
    training = Training(about, read_npz(about.data)["Training"], Crew(0, 1, torch.device("cpu")))
    chosen = torch.arange(about.batch)
    return training._batch(chosen, about.input_px, torch.Generator().manual_seed(0))[1:]


def test_consistent_teachers_are_asked_about_what_the_student_sees(tiny_net, tiny_faces, tmp_path):
    """Their part, and the crowd's beside them, is as large as where they are asked once."""
    best = tmp_path / "teacher" / "best.safetensors"
    fit_classifier(settings(tiny_faces, best.parent, epochs=1))
    labels = read_npz(tiny_faces)["Training"].labels
    half = np.where(np.arange(len(labels)) // 7 % 2, labels, (labels + 1) % 7)
    about = settings(
        tiny_faces,
        tmp_path / "run",
        teachers=(best, best),
        teachers_share=0.75,
        teachers_consistent=True,
        small_epochs=0,
        ferplus=voted(tmp_path, half),
        mixup=1.0,
    )
    faces, wanted = asked_of_a_batch(about)
    # Of four parts the label has one, each teacher one, and the crowd one.
    plain = dataclasses.replace(about, teachers=(), teachers_consistent=False, teachers_share=0.5)
    same, untaught = asked_of_a_batch(plain)
    teacher = nets.build("tiny", 7)
    teacher.load_state_dict(run.load_checkpoint(best)[0])
    assert torch.equal(faces, same)
    opinion = teacher.eval()(faces).softmax(-1)
    torch.testing.assert_close(wanted, 0.5 * untaught + 0.5 * opinion)
    alone = asked_of_a_batch(dataclasses.replace(plain, ferplus=None))[1]
    assert not torch.allclose(untaught, alone, atol=0.1)
    assert not (about.out / "taught.safetensors").exists()


def test_consistent_teachers_teach_and_a_run_of_theirs_goes_on(
    tiny_net, tiny_faces, tmp_path, monkeypatch
):
    best = tmp_path / "teacher" / "best.safetensors"
    fit_classifier(settings(tiny_faces, best.parent, epochs=12))
    splits = read_npz(tiny_faces)
    wrong = Faces(splits["Training"].images, (splits["Training"].labels + 1) % 7)
    write_npz(tmp_path / "wrong.npz", splits | {"Training": wrong})
    about = settings(
        tmp_path / "wrong.npz",
        tmp_path / "whole",
        epochs=12,
        teachers=(best,),
        teachers_share=0.9,
        teachers_consistent=True,
        small_epochs=0,
        mixup=0.2,
    )
    assert fit_classifier(about) > 0.7
    cut = dataclasses.replace(about, out=tmp_path / "cut")
    fit_until_saved(monkeypatch, cut, 3)
    fit_classifier(cut)
    assert_same(about.out, cut.out)


def test_to_be_consistent_there_must_be_teachers_and_one_size(tiny_net, tiny_faces, tmp_path):
    about = settings(tiny_faces, tmp_path / "run", teachers_consistent=True)
    with pytest.raises(run.RunError, match="no teachers to be consistent; give --teachers"):
        fit_classifier(about)
    some = tmp_path / "some.safetensors"
    some.write_bytes(b"not looked at yet")
    with pytest.raises(run.RunError, match="at --input-px alone; give --small-epochs 0"):
        fit_classifier(dataclasses.replace(about, teachers=(some,)))


def test_a_crowd_teaches_what_its_votes_have_meant():
    """Where ten people say A, the label was A in two thirds; where they say B, it was C."""
    votes = np.zeros((120, 10), np.int64)
    votes[:60, 0], votes[60:, 1] = 10, 10
    labels = np.concatenate([np.arange(60) % 3 // 2, np.full(60, 2)])
    told = crowd_taught(votes, labels, 7)
    torch.testing.assert_close(told.sum(1), torch.ones(120))
    torch.testing.assert_close(
        told[[0, -1], :3], torch.tensor([[2 / 3, 1 / 3, 0.0], [0.0, 0.0, 1.0]]), atol=0.03, rtol=0
    )


def voted(tmp_path, seen):
    """The votes of a crowd that is of one mind in each training face."""
    ours = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")
    numbers = [LABELS.index(name) for name in ours]
    rows = [",".join("10" if n == label else "0" for n in numbers) + ",0,0,0" for label in seen]
    path = tmp_path / "votes.csv"
    path.write_text(
        "\n".join(
            [
                "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,"
                "contempt,unknown,NF",
                *(f"Training,{n}.png,{row}" for n, row in enumerate(rows)),
            ]
        )
    )
    return path


def test_the_crowd_is_one_teacher_more(tiny_net, tiny_faces, tmp_path):
    """A crowd that is right teaches a student whose labels are all wrong half the time."""
    splits = read_npz(tiny_faces)
    truth = splits["Training"].labels
    wrong = np.where(np.arange(len(truth)) // 7 % 2, truth, (truth + 1) % 7)
    write_npz(
        tmp_path / "wrong.npz", splits | {"Training": Faces(splits["Training"].images, wrong)}
    )
    path = voted(tmp_path, truth)
    about = settings(
        tmp_path / "wrong.npz", tmp_path / "run", epochs=12, ferplus=path, teachers_share=1.0
    )
    training = Training(about, read_npz(about.data)["Training"], Crew(0, 1, torch.device("cpu")))
    wanted = training._wanted
    torch.testing.assert_close(wanted.sum(1), torch.ones(len(truth)))
    rows_of = torch.arange(len(truth))
    half = torch.full((len(truth),), 0.5)
    torch.testing.assert_close(wanted[rows_of, torch.from_numpy(truth)], half, atol=0.05, rtol=0)


def test_a_crowd_that_looked_at_the_faces_in_another_order_teaches_nothing(
    tiny_net, tiny_faces, tmp_path
):
    votes = voted(tmp_path, np.sort(read_npz(tiny_faces)["Training"].labels))
    with pytest.raises(DatasetError, match=r"in another order; prepare them from fer2013\.csv"):
        fit_classifier(settings(tiny_faces, tmp_path / "run", ferplus=votes))


def test_what_teachers_said_of_other_faces_or_sizes_is_not_taken(tiny_net, tiny_faces, tmp_path):
    teacher = tmp_path / "teacher"
    fit_classifier(settings(tiny_faces, teacher, epochs=1, small_epochs=0))
    splits = read_npz(tiny_faces)
    some, others = (
        torch.from_numpy(splits["Training"].images[first::2])[:, None] for first in (0, 1)
    )

    def told(faces, size_px, cache):
        best = (teacher / "best.safetensors",)
        return taught(best, lambda name: nets.build(name, 7), faces, size_px, 1, tmp_path / cache)

    for name, asked in {"first": (some, 44), "faces": (others, 44), "size": (some, 40)}.items():
        assert torch.equal(told(*asked, "cache"), told(*asked, name)), name
    marked, about = run.load_checkpoint(tmp_path / "cache")
    run.save_checkpoint(tmp_path / "cache", {"probabilities": -marked["probabilities"]}, about)
    assert torch.equal(told(some, 40, "cache"), -marked["probabilities"])  # it is looked up


def test_a_teacher_may_have_another_architecture(tiny_net, tiny_faces, tmp_path):
    teacher = tmp_path / "teacher"
    fit_classifier(settings(tiny_faces, teacher, net="resnet14", epochs=1))
    best = teacher / "best.safetensors"
    fit_classifier(settings(tiny_faces, tmp_path / "student", epochs=1, teachers=(best,)))
    taught, _ = run.load_checkpoint(tmp_path / "student" / "taught.safetensors")
    torch.testing.assert_close(taught["probabilities"].sum(1), torch.ones(140))


def test_a_teacher_that_is_no_checkpoint_is_one_sentence(tmp_path):
    with pytest.raises(
        run.RunError, match=r"none\.safetensors: there is no such file; give a best"
    ):
        load_checkpoint(tmp_path / "none.safetensors")
    with pytest.raises(run.RunError, match="is no checkpoint of `facecloak-train fit`, or is dam"):
        load_checkpoint(artifacts.perturbation("default"))


def test_a_teacher_of_an_unknown_kind_is_one_sentence(tiny_net, tiny_faces, tmp_path):
    other = tmp_path / "other.safetensors"
    run.save_checkpoint(other, {"features.0.weight": torch.zeros(3)}, {"net": "tiny"})
    with pytest.raises(run.RunError, match="holds another network than TinyNet"):
        fit_classifier(settings(tiny_faces, tmp_path / "run", teachers=(other,)))
    run.save_checkpoint(tmp_path / "nameless.safetensors", {"x": torch.zeros(3)}, {})
    nameless = (tmp_path / "nameless.safetensors",)
    with pytest.raises(run.RunError, match="does not name its network"):
        fit_classifier(settings(tiny_faces, tmp_path / "run", teachers=nameless))
    with pytest.raises(run.RunError, match="holds another network than TinyNet"):
        fit_classifier(settings(tiny_faces, tmp_path / "run", start=other))
