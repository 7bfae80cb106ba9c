"""test/fixtures/audio-features/features.json, from torchaudio and transformers, on the trumpet of test/fixtures/audio."""
import json
import pathlib
import warnings
import wave

import numpy as np
import torch
import torchaudio
import torchaudio.compliance.kaldi as kaldi
import torchaudio.transforms as T
import transformers

warnings.filterwarnings('ignore')
FIXTURES = pathlib.Path(__file__).resolve().parents[2] / 'test' / 'fixtures'
with wave.open(str(FIXTURES / 'audio' / 'trumpet.wav')) as file:
    RATE = file.getframerate()
    sound = torch.from_numpy(np.frombuffer(file.readframes(RATE), dtype='<i2').copy()).float() / 32768
stereo = torch.stack([sound, sound.flip(0) * 0.5])


def spread(x):
    """384 values spread over the tensor, its shape and its norm."""
    x = torch.view_as_real(x) if x.is_complex() else x
    flat = x.double().flatten()
    step = max(1, flat.numel() // 384)
    return {'shape': list(x.shape), 'norm': float(flat.norm()), 'step': step, 'values': [float(f'{v:.9g}') for v in flat[::step].tolist()]}


def seeded(seed, fn):
    torch.manual_seed(seed)
    return fn()


mel = T.MelSpectrogram(RATE, n_fft=512, n_mels=40)(stereo)
grid = torch.arange(2 * 3 * 40 * 50, dtype=torch.float32).reshape(2, 3, 40, 50)
ast = transformers.ASTFeatureExtractor(max_length=128)
whisper = transformers.WhisperFeatureExtractor(chunk_length=2)
complex_spectrum = T.Spectrogram(512, power=None)(stereo)
cases = {
    'stft': complex_spectrum,
    'istft': T.InverseSpectrogram(512)(complex_spectrum, stereo.shape[-1]),
    'spectrogram': T.Spectrogram(400)(stereo),
    'spectrogramPadded': T.Spectrogram(512, win_length=400, hop_length=160, pad=100, power=1.0)(sound),
    'spectrogramWindowNorm': T.Spectrogram(512, normalized=True)(sound),
    'spectrogramFrameNorm': T.Spectrogram(512, normalized='frame_length', center=False)(sound),
    'melHtk': T.MelSpectrogram(RATE)(stereo),
    'melSlaney': T.MelSpectrogram(RATE, n_fft=1024, hop_length=256, n_mels=64, f_min=50.0, f_max=8000.0, norm='slaney', mel_scale='slaney')(sound),
    'bankHtk': torchaudio.functional.melscale_fbanks(257, 20.0, 8000.0, 40, 16000),
    'bankSlaney': torchaudio.functional.melscale_fbanks(257, 0.0, 8000.0, 80, 16000, norm='slaney', mel_scale='slaney'),
    'logMel': (T.MelSpectrogram(RATE)(sound) + 1e-6).log(),
    'dbPower': T.AmplitudeToDB('power')(mel),
    'dbTop': T.AmplitudeToDB('power', top_db=30.0)(mel),
    'dbMagnitude': T.AmplitudeToDB('magnitude', top_db=60.0)(mel.sqrt()),
    'dct': torchaudio.functional.create_dct(13, 40, 'ortho'),
    'dctNone': torchaudio.functional.create_dct(13, 40, None),
    'mfcc': T.MFCC(RATE)(stereo),
    'mfccLog': T.MFCC(RATE, n_mfcc=13, log_mels=True, melkwargs={'n_fft': 512, 'n_mels': 40})(sound),
    'fbank': kaldi.fbank(sound[None], sample_frequency=RATE),
    'fbankAst': kaldi.fbank(sound[None] - sound.mean(), htk_compat=True, sample_frequency=16000, use_energy=False, window_type='hanning', num_mel_bins=128, dither=0.0, frame_shift=10),
    'fbankEnergy': kaldi.fbank(stereo, channel=1, use_energy=True, snip_edges=False, window_type='hamming', subtract_mean=True, low_freq=50, high_freq=-200, energy_floor=0.5),
    'fbankLinear': kaldi.fbank(sound[None], use_energy=True, raw_energy=False, htk_compat=True, window_type='blackman', use_log_fbank=False, use_power=False, round_to_power_of_two=False, remove_dc_offset=False, preemphasis_coefficient=0.9),
    'fbankRectangular': kaldi.fbank(sound[None] * 3, window_type='rectangular', frame_length=32, frame_shift=40, snip_edges=False),
    'ast': torch.from_numpy(np.asarray(ast((sound - sound.mean()).numpy(), sampling_rate=16000)['input_values'][0])),
    'whisper': torch.from_numpy(np.asarray(whisper(sound.numpy(), sampling_rate=16000)['input_features'][0])),
    'timeMask': seeded(3, lambda: T.TimeMasking(20)(grid)),
    'frequencyMask': seeded(4, lambda: T.FrequencyMasking(15, iid_masks=True)(grid)),
    'timeMaskShare': seeded(5, lambda: T.TimeMasking(40, p=0.3)(grid, mask_value=-1.0)),
    'specAugment': seeded(6, lambda: T.SpecAugment(2, 10, 2, 8)(grid)),
    'specAugmentZero': seeded(7, lambda: T.SpecAugment(2, 10, 1, 8, iid_masks=False, p=0.5, zero_masking=True)(grid)),
}
out = FIXTURES / 'audio-features' / 'features.json'
out.parent.mkdir(exist_ok=True)
body = ',\n'.join(f'{json.dumps(name)}: {json.dumps(spread(value))}' for name, value in cases.items())
out.write_text('{\n' + f'"source": "torchaudio {torchaudio.__version__.split("+")[0]}, transformers {transformers.__version__}",\n' + body + '\n}\n')
print({name: list(value.shape) for name, value in cases.items()})
