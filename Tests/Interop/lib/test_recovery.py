"""What forward error correction is worth to the ear: the trace of 5 % single losses that LossTests sends through the whole
gateway on virtual time, judged by PESQ against the same packets with every loss concealed."""

import os
import pathlib
import subprocess

import sound

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCENARIO = "LossTests/forwardErrorCorrectionSoundsBetterThanConcealment"


def test_recovered_speech_scores_above_concealed_speech(out_folder):
    run = subprocess.run(
        ["swift", "test", "--skip-build", "--filter", SCENARIO],
        cwd=ROOT, env=os.environ | {"TANDEM_SOUNDS": str(out_folder)}, capture_output=True, text=True, timeout=110,
    )
    assert run.returncode == 0, (run.stdout + run.stderr)[-4000:]
    (clean, rate), (recovered, _), (concealed, _) = (
        sound.read_wav(out_folder / f"fec-{name}.wav") for name in ("clean", "recovered", "concealed")
    )
    with_recovery = sound.pesq_score(clean, recovered, rate)
    without = sound.pesq_score(clean, concealed, rate)
    print(f"PESQ with FEC {with_recovery:.2f}, with FEC off {without:.2f}")
    assert with_recovery > without + 0.3
