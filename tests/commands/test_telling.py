import pytest

from facecloak.commands.telling import file_summary, stage_table, summary
from facecloak.pipeline.report import Fooling, RunReport

FRAMES = {"in": 9, "out": 9, "dropped": 0, "cloaked": 0, "held": 0, "shield": 0, "untouched": 0}


def told(
    frames, *, psnr=None, ssim=None, faces=1, shift=0.0, members=None, fooled=0.75, strength=1.0
):
    return {
        "frames": FRAMES | frames,
        "faces": faces,
        "budget_levels": 8,
        "displacement": {"shift": shift, "strain": 0.1},
        "largest_change_levels": {"faces": 7, "elsewhere": 0},
        "members": members or {"any": 1.0},
        "face": {"psnr_db": psnr, "ssim": ssim},
        "strength": strength,
        "classifiers": {
            "net": {"judged": 8, "fooled": 8 * fooled, "fooling_rate": fooled},
            "film": {"judged": 8, "fooled": 0, "fooling_rate": 0.0},
        },
        "models": {"net": {"frames": 1}, "film": {"frames": 24}},
    }


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (told({"cloaked": 7, "held": 1, "shield": 1}), "9 frames: 7 cloaked, 2 shielded."),
        (told({"shield": 9}, faces=0), "9 frames: 9 shielded.\nNo face was found."),
        (told({"untouched": 9}, faces=0), "9 frames: 9 untouched.\nNo face was found."),
        (told({"shield": 9}), "No face was cloaked."),
        (told({"cloaked": 9}, psnr=35.44, ssim=0.96), "PSNR 35.4 dB, SSIM 0.960; changed by at"),
        (told({"cloaked": 9}, psnr=35.44), "PSNR 35.4 dB; changed by at most 7 of 255 levels (pro"),
        (told({"cloaked": 9}, psnr=30.0, shift=0.008), "8) on top of a shift of at most 0.8 % of"),
        (
            told({"cloaked": 9}, members={"happy": 0.9, "any": 0.1}),
            "Perturbations: happy 90 %, any 10 % of the faces.",
        ),
        (told({"cloaked": 9}), "net: fooled in 75 % of 8 readings."),
    ],
)
def test_a_file_is_told_as_it_is(report, said):
    assert said in file_summary(report)


def test_who_still_reads_stills_is_told_with_what_helps():
    assert "Still read" not in file_summary(told({"cloaked": 9}))
    mostly = told({"cloaked": 9}, fooled=0.25, strength=1.5)
    assert file_summary(mostly).endswith(
        "Still read as before, mostly: by net. Try a --strength of more than 1.5, up to 2."
    )
    assert "Still read" not in file_summary(told({"cloaked": 9}, fooled=0.25, strength=2.0))


def test_one_perturbation_for_every_face_is_not_told():
    assert "Perturbations" not in file_summary(told({"cloaked": 9}))


def test_a_run_is_told_in_a_few_lines():
    report = RunReport(
        seconds=2.0, frames_in=60, frames_out=58, dropped=2, faces=1,
        outputs={"cloaked": 50, "held": 0, "shield": 8, "untouched": 0},
        classifiers={"net": Fooling(8, 6)}, stages={},
    )  # fmt: skip
    assert summary(report) == (
        "58 frames in 2.0 s (50 cloaked, 8 shield), 2 dropped, 1 face.\n"
        "net: fooled in 6 of 8 readings (75 %)."
    )


def test_stages_become_a_table():
    row = {"p50_ms": 1.0, "p95_ms": 2.345, "p99_ms": 3.0, "count": 60.0}
    assert stage_table({"find": row}).splitlines()[-1] == "| find | 1.00 | 2.35 | 3.00 | 60 |"
