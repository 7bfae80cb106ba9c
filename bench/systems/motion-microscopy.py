"""Phase-based magnification in torch.fft: the complex steerable pyramid of each frame, phases against the first frame,
filtered over time, averaged by amplitude, enlarged, and put back."""
import math

import torch
import torch.nn.functional as F
from torch import nn

PADDING, ORIENTATIONS, DENOISE = 32, 4, 2
LUMA = (0.299, 0.587, 0.114)


class Pyramid:
    def __init__(self, height, width, levels, device):
        y, x = torch.fft.fftfreq(height).double()[:, None] * 2, torch.fft.fftfreq(width).double()[None] * 2
        octave = torch.hypot(x, y).clamp(min=2**-40).log2()
        order = ORIENTATIONS - 1
        norm = 2 ** (2 * order) * math.factorial(order) ** 2 / (ORIENTATIONS * math.factorial(2 * order))
        angles = [math.pi * b / ORIENTATIONS for b in range(ORIENTATIONS)]
        fans = torch.stack([((x * math.cos(a) + y * math.sin(a)) / 2**octave).clamp(min=0) ** order for a in angles])
        fans = fans * (2 * math.sqrt(norm))

        def ramp(centre):
            return (octave - (centre - 1)).clamp(0, 1) * (math.pi / 2)

        high, low = ramp(0).sin(), ramp(0).cos()
        self.bands, self.crops = [], []
        for k in range(levels):
            rows, columns = (kept(size, k) for size in (height, width))
            mask = fans * (low * ramp(-1 - k).sin())
            self.bands.append(mask[:, rows][:, :, columns].float().to(device))
            self.crops.append((rows.to(device), columns.to(device)))
            low = low * ramp(-1 - k).cos()
        self.residual = (high**2 + low**2).float().to(device)
        self.area = height * width

    def analyse(self, image):
        spectrum = torch.fft.fft2(image)
        bands = []
        for mask, (rows, columns) in zip(self.bands, self.crops):
            part = spectrum[rows][:, columns] * mask
            bands.append(torch.fft.ifft2(part * (len(rows) * len(columns) / self.area)))
        return spectrum, bands

    def compose(self, spectrum, bands):
        total = spectrum * self.residual
        for band, mask, (rows, columns) in zip(bands, self.bands, self.crops):
            part = (torch.fft.fft2(band) * mask).sum(0) * (0.5 * self.area / (len(rows) * len(columns)))
            total[rows[:, None], columns] += part
        return torch.fft.ifft2(total).real


def kept(size, scale):
    count = size if scale == 0 else 2 * math.ceil(size / 2 ** (scale + 1))
    return torch.cat([torch.arange(count // 2), torch.arange(size - count // 2, size)]) if count < size else torch.arange(size)


def gaussian(height, width, device):
    y, x = (torch.fft.fftfreq(size).double() * (2 * math.pi * DENOISE) for size in (height, width))
    return (-(y[:, None] ** 2 + x[None] ** 2) / 2).exp().float().to(device)


def butterworth(band, fps):
    low, high = (math.tan(math.pi * frequency / fps) for frequency in band)
    width, centre = high - low, low * high
    scale = 1 / (1 + width + centre)
    return (width * scale, 0, -width * scale), (2 * (centre - 1) * scale, (1 - width + centre) * scale)


def luma_of(frame):
    return sum(weight * channel for weight, channel in zip(LUMA, frame))


class Microscope(nn.Module):
    def __init__(self, magnification, band, fps):
        super().__init__()
        self.magnification = magnification
        (self.b0, self.b1, self.b2), (self.a1, self.a2) = butterworth(band, fps)

    def forward(self, frames):
        height, width = frames.shape[2:]
        size = (height + 2 * PADDING, width + 2 * PADDING)
        self.pyramid = Pyramid(*size, int(math.log2(min(height, width))) - 2, frames.device)
        self.smoothing = [gaussian(*mask.shape[1:], frames.device) for mask in self.pyramid.bands]
        reference = None
        results, shares = [], []
        for frame in frames:
            luma = luma_of(frame)
            padded = F.pad(luma[None, None], (PADDING,) * 4, mode="replicate")[0, 0]
            spectrum, bands = self.pyramid.analyse(padded)
            if reference is None:
                reference = bands
                phases = [torch.zeros_like(band.real) for band in bands]
                state = [(torch.zeros_like(phase), torch.zeros_like(phase)) for phase in phases]
            moved, energy, past = [], 0, 0
            for k, band in enumerate(bands):
                phase = torch.angle(band * reference[k].conj())
                phases[k] = phase + 2 * math.pi * ((phases[k] - phase) / (2 * math.pi)).round()
                y = self.b0 * phases[k] + state[k][0]
                state[k] = (self.b1 * phases[k] - self.a1 * y + state[k][1], self.b2 * phases[k] - self.a2 * y)
                amplitude = band.abs()
                both = torch.fft.ifft2(torch.fft.fft2(torch.complex(amplitude * y, amplitude)) * self.smoothing[k])
                motion = both.real / both.imag.clamp(min=1e-8)
                turn = motion * (self.magnification - 1)
                moved.append(band * torch.complex(turn.cos(), turn.sin()))
                power = amplitude**2
                energy = energy + power.mean()
                past = past + (power * (motion.abs() * self.magnification > math.pi / 2)).mean()
            shares.append(past / (energy + 1e-12))
            change = self.pyramid.compose(spectrum, moved)[PADDING:-PADDING, PADDING:-PADDING] - luma
            results.append((frame + change).clamp(0, 1))
        # How much is magnified too far belongs to the result; here only its cost counts.
        torch.stack(shares).amax()
        return torch.stack(results)


def network(config):
    return Microscope(**config)
