"""What augmentations make of pictures, and how their numbers are distributed: tests/expect/augment/.

CASE.net and CASE.safetensors: the numbers are drawn here from Philox as compiler/base/augment.h says, and the pictures are made of
them by torchvision, on tensors of float32 from 0 to 1 where it computes and on bytes where it moves them. `input` [samples, c, h, w]
has values 0..255; `output` [2, ROWS, c, h, w] is what training sees at positions FIRST .. FIRST + ROWS - 1, in file order, of the
epochs EPOCHS, with seed SEED. Of mixed samples also `label`, weights, and what PyTorch's cross_entropy makes of the mixed targets:
`loss` and `grad.fc.weight` of each epoch.

distributions.safetensors: for each number that a word draws, named `Word.case.number`, 21 values and the shares of torchvision's
draws that are not above them, [2, 21]; for Cutout, which torchvision has not, of the authors' code.
"""

import math

import numpy as np
import torch
from torchvision.transforms import v2
import torchvision.transforms.v2.functional as F

from philox import philox
from store import write_safetensors, write_text

SEED, FIRST, ROWS, EPOCHS, STREAM = 7, 3, 20, (0, 5), 0x41554700
DRAWS, CLASSES, SMOOTHING = 100000, 5, 0.1


class Stream:
    """The numbers of word `index` of the list, for one sample."""

    def __init__(self, position, epoch, index):
        counter = [[k, position, epoch, STREAM + index] for k in range(128)]
        self.words = philox(counter, [SEED, 0]).reshape(-1).tolist()
        self.at = 0

    def word(self):
        self.at += 1
        return self.words[self.at - 1]

    def between(self, low, high):
        return low + (high - low) * (self.word() * 2.0 ** -32)

    def below(self, n):
        return self.word() * n >> 32

    def chance(self, p):
        return self.between(0, 1) < p


def random_crop(s, x, pad, reflect=False):
    top, left = s.below(2 * pad[0] + 1), s.below(2 * pad[1] + 1)
    x_ = F.pad(x, [pad[1], pad[0]], padding_mode="reflect" if reflect else "constant")
    return F.crop(x_, top, left, *x.shape[-2:])


def random_flip(s, x, p=0.5, vertical=False):
    return x if not s.chance(p) else F.vertical_flip(x) if vertical else F.horizontal_flip(x)


def random_shift(s, x, height=0.1, width=0.1):
    down = round(s.between(-height * x.shape[-2], height * x.shape[-2]))
    right = round(s.between(-width * x.shape[-1], width * x.shape[-1]))
    return F.affine(x, angle=0, translate=[right, down], scale=1, shear=[0, 0])


def random_rotate(s, x, degrees):
    return F.rotate(x, s.between(-degrees, degrees), F.InterpolationMode.BILINEAR, fill=0)


def random_resized_crop(s, x, scale=(0.08, 1), ratio=(3 / 4, 4 / 3)):
    height, width = x.shape[-2:]
    for _ in range(10):
        area = height * width * s.between(*scale)
        aspect = math.exp(s.between(math.log(ratio[0]), math.log(ratio[1])))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            return F.resized_crop(x, s.below(height - h + 1), s.below(width - w + 1), h, w, [height, width])
    w = round(height * ratio[1]) if width / height > ratio[1] else width
    h = round(width / ratio[0]) if width / height < ratio[0] else height
    return F.resized_crop(x, (height - h) // 2, (width - w) // 2, h, w, [height, width])


def color_jitter(s, x, brightness=0, contrast=0, saturation=0, hue=0):
    order = [0, 1, 2, 3]
    for i in (3, 2, 1):
        k = s.below(i + 1)
        order[i], order[k] = order[k], order[i]
    factors = [s.between(max(0, 1 - f), 1 + f) for f in (brightness, contrast, saturation)]
    shift = s.between(-hue, hue)
    for i in order:
        x = [lambda: F.adjust_brightness(x, factors[0]), lambda: F.adjust_contrast(x, factors[1]),
             lambda: F.adjust_saturation(x, factors[2]), lambda: F.adjust_hue(x, shift)][i]()
    return x


def noise(s, x, std=0.1):
    words = np.array([s.word() for _ in range((x.numel() + 3) // 4 * 4)], np.float64).reshape(-1, 2)
    radius, angle = (words[:, 0] // 256 + 1) * 2.0 ** -24, (words[:, 1] // 256) * 2.0 ** -24 * 2 * math.pi
    radius = np.sqrt(-2 * np.log(radius))
    normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:x.numel()]
    return (x + std * torch.from_numpy(normal.astype(np.float32)).reshape(x.shape)).clamp(0, 1)    # as v2.GaussianNoise


def erase(s, x, p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), fill=0):
    if not s.chance(p):
        return x
    height, width = x.shape[-2:]
    for _ in range(10):
        area = height * width * s.between(*scale)
        aspect = math.exp(s.between(math.log(ratio[0]), math.log(ratio[1])))
        h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if h < height and w < width:
            return F.erase(x, s.below(height - h + 1), s.below(width - w + 1), h, w, torch.tensor(float(fill)))
    return x


def cutout(s, x, size, fill=0):
    """https://github.com/uoguelph-mlrg/Cutout, util/cutout.py, for one hole."""
    height, width = x.shape[-2:]
    y, z = s.below(height), s.below(width)
    x = x.clone()
    x[:, max(0, y - size // 2):y + size // 2, max(0, z - size // 2):z + size // 2] = fill
    return x


def beta(s, alpha):
    if alpha == 1:
        return s.between(0, 1)
    while True:
        x, y = (math.log((s.word() + 0.5) * 2.0 ** -32) / alpha for _ in range(2))
        if math.exp(x) + math.exp(y) <= 1:
            return 1 / (1 + math.exp(y - x))


def mixup(s, x, alpha=1, p=1):
    return {"lam": beta(s, alpha) if s.chance(p) else 1}


def cut_mix(s, x, alpha=1, p=1):
    height, width = x.shape[-2:]
    mixed, r_x, r_y = s.chance(p), s.below(width), s.below(height)
    r = 0.5 * math.sqrt(1 - (beta(s, alpha) if mixed else 1))     # from here on as torchvision's CutMix.make_params
    r_w_half, r_h_half = int(r * width), int(r * height)
    x1, y1 = max(r_x - r_w_half, 0), max(r_y - r_h_half, 0)
    x2, y2 = min(r_x + r_w_half, width), min(r_y + r_h_half, height)
    return {"box": (x1, y1, x2, y2), "lam_adjusted": 1 - (x2 - x1) * (y2 - y1) / (width * height)}


MIXES = {"Mixup": (mixup, v2.MixUp), "CutMix": (cut_mix, v2.CutMix)}


def mix(word, arguments, index, epoch, batch, labels):
    """torchvision's mixing, of each 16 of a batch, in which each sample has parameters of its own."""
    make, transform = MIXES[word]
    transform = transform(num_classes=CLASSES)
    seen, targets = [], []
    for first in range(0, ROWS, 16):
        x, y = batch[first:first + 16], labels[first:first + 16]
        for i in range(len(x)):
            params = {**make(Stream(FIRST + first + i, epoch, index), x, **arguments), "labels": y, "batch_size": len(x)}
            seen.append(transform.transform(x, params)[i])
            targets.append(transform.transform(y, params)[i])
    return torch.stack(seen), torch.stack(targets)


WORDS = {"RandomCrop": random_crop, "RandomFlip": random_flip, "RandomShift": random_shift, "RandomRotate": random_rotate,
         "RandomResizedCrop": random_resized_crop, "ColorJitter": color_jitter, "Noise": noise, "Erase": erase, "Cutout": cutout}


def argument(value):
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(argument, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def call(word, arguments):
    return word + ("(" + ", ".join(f"{k} = {argument(v)}" for k, v in arguments.items()) + ")" if arguments else "")


def case(name, shape, *words, weights=None):
    """words: pairs of a word and its arguments; weights of the classes in the loss."""
    generator = np.random.default_rng(sum(map(ord, name)))
    picture = generator.integers(0, 256, size=[FIRST + ROWS, *shape]).astype(np.float32)
    mixes = words[-1][0] in MIXES
    weight = torch.tensor(generator.normal(size=[CLASSES, math.prod(shape)]) / 5000, dtype=torch.float32, requires_grad=True)
    labels = torch.tensor(generator.integers(0, CLASSES, size=[FIRST + ROWS]))
    losses, gradients = [], []
    output = np.zeros([len(EPOCHS), ROWS, *shape], np.float32)
    for e, epoch in enumerate(EPOCHS):
        for row in range(ROWS):
            x = torch.from_numpy(picture[FIRST + row] / np.float32(255))
            for i, (word, arguments) in enumerate(words[:-1] if mixes else words):
                x = WORDS[word](Stream(FIRST + row, epoch, i), x, **arguments)
            output[e, row] = x.numpy() * np.float32(255)
        if mixes:
            x, targets = mix(*words[-1], len(words) - 1, epoch, torch.from_numpy(output[e]), labels[FIRST:])
            output[e] = x.numpy()
            weight.grad = None
            loss = torch.nn.functional.cross_entropy(x.flatten(1) @ weight.T, targets, label_smoothing=SMOOTHING,
                                                     weight=torch.tensor(weights) if weights else None)
            loss.backward()
            losses.append(loss.item())
            gradients.append(weight.grad.numpy())
    sizes = ", ".join(map(str, shape))
    write_text(f"augment/{name}.net", f"""# Pictures augmented, compared with torchvision.
net {name}

input  x : f32[{sizes}]
target t : {f"class[{CLASSES}]" if mixes else "f32[1]"}

y = x -> Flatten -> fc: Linear({CLASSES if mixes else 1})

output y

data {{
    augment = [{", ".join(call(*w) for w in words)}]
}}

train {{
    loss      = {f"CrossEntropy(y, t, smoothing = {SMOOTHING}{f', weights = {weights}' if weights else ''})" if mixes else "MSE(y, t)"}
    optimizer = SGD(lr = 0)
    batch     = {ROWS}
    seed      = {SEED}
}}
""")
    more = {"label": labels.numpy(), "fc.weight": weight.detach().numpy(), "loss": np.array(losses, np.float32),
            "grad.fc.weight": np.stack(gradients)} if mixes else {}
    write_safetensors(f"augment/{name}.safetensors", {"input": picture, "output": output, **more})


case("crop", (3, 6, 7), ("RandomCrop", {"pad": [2, 3]}))
case("crop_reflect", (1, 6, 7), ("RandomCrop", {"pad": [3, 3], "reflect": True}))
case("flip", (3, 6, 7), ("RandomFlip", {}))
case("flip_vertical", (1, 6, 7), ("RandomFlip", {"p": 0.7, "vertical": True}))
case("shift", (3, 6, 7), ("RandomShift", {"height": 0.4, "width": 0.3}))
case("erase", (3, 9, 8), ("Erase", {"p": 0.9, "fill": 0.25}))
case("cutout", (3, 9, 8), ("Cutout", {"size": 5}))
case("crop_flip_cutout", (3, 8, 8), ("RandomCrop", {"pad": [2, 2]}), ("RandomFlip", {}), ("Cutout", {"size": 4}))
case("erase_crop_flip", (1, 9, 8), ("Erase", {"p": 0.9}), ("RandomCrop", {"pad": [2, 2]}), ("RandomFlip", {}))
case("rotate", (3, 8, 7), ("RandomRotate", {"degrees": 180}))
case("resized_crop", (3, 9, 8), ("RandomResizedCrop", {}))
case("resized_crop_middle", (1, 4, 12), ("RandomResizedCrop", {"scale": [0.9, 1], "ratio": [0.5, 1]}))
case("color_jitter", (3, 6, 7), ("ColorJitter", {"brightness": 0.4, "contrast": 0.6, "saturation": 0.8, "hue": 0.3}))
case("color_jitter_grey", (1, 6, 7), ("ColorJitter", {"brightness": 0.4, "contrast": 1.5}))
case("noise", (3, 6, 7), ("Noise", {"std": 0.2}))
case("all", (3, 8, 8), ("RandomResizedCrop", {}), ("RandomFlip", {}),
     ("ColorJitter", {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1}), ("RandomRotate", {"degrees": 15}),
     ("Erase", {}))
case("mixup", (1, 6, 7), ("RandomFlip", {}), ("Mixup", {"alpha": 0.4}))
case("mixup_some", (3, 4, 5), ("Mixup", {"alpha": 2, "p": 0.5}))
case("mixup_weights", (1, 6, 7), ("Mixup", {"alpha": 0.4}), weights=[1.0, 0.5, 3.0, 0.0, 2.0])
case("cut_mix", (3, 6, 7), ("RandomCrop", {"pad": [1, 1]}), ("CutMix", {}))


# ---- distributions ----

HEIGHT, WIDTH = 32, 24
shares = {}


def share(name, values):
    values = np.sort(np.asarray(values, np.float64))
    at = np.quantile(values, np.linspace(0, 1, 21), method="lower")
    shares[name] = np.stack([at, np.searchsorted(values, at, side="right") / len(values)]).astype(np.float32)


def columns(name, rows):
    for i, column in enumerate(zip(*rows)):
        share(f"{name}.{i}", column)


def seen(transform):
    x = torch.zeros(1, HEIGHT, WIDTH)
    for _ in range(DRAWS):
        yield transform.make_params([x])


torch.manual_seed(1)
np.random.seed(1)
crop = v2.RandomCrop((HEIGHT, WIDTH), padding=4)
columns("RandomCrop.pad4", [(p["top"] - 4, p["left"] - 4) for p in seen(crop)])
columns("RandomShift.shares", [p["translate"][::-1] for p in seen(v2.RandomAffine(0, translate=(0.3, 0.2)))])
share("RandomFlip.p.0", torch.rand(DRAWS).lt(0.3).numpy())    # as v2's _RandomApplyTransform draws
columns("Erase.default", [(p["i"], p["j"], p["h"], p["w"]) for p in seen(v2.RandomErasing(p=1)) if p["v"] is not None])
columns("RandomResizedCrop.default", [(p["top"], p["left"], p["height"], p["width"])
                                      for p in seen(v2.RandomResizedCrop((HEIGHT, WIDTH)))])
share("RandomRotate.degrees30.2", [p["angle"] for p in seen(v2.RandomRotation(30))])
jitter = list(seen(v2.ColorJitter(0.4, 1.5, 0.3, 0.2)))
for i, name in enumerate(("brightness_factor", "contrast_factor", "saturation_factor", "hue_factor")):
    share(f"ColorJitter.some.{i}", [p[name] for p in jitter])
share("ColorJitter.some.4", [sum(int(k) << 2 * i for i, k in enumerate(p["fn_idx"])) for p in jitter])
for alpha in (0.2, 1, 3):
    mixup_ = v2.MixUp(alpha=float(alpha), num_classes=2)
    share(f"Mixup.alpha{alpha}.0", [mixup_.make_params([])["lam"] for _ in range(DRAWS)])
cut = [p for p in seen(v2.CutMix(alpha=1.0, num_classes=2))]
columns("CutMix.default", [(p["lam_adjusted"], p["box"][1], p["box"][3], p["box"][0], p["box"][2]) for p in cut])
boxes = []
for _ in range(DRAWS):
    y, x = np.random.randint(HEIGHT), np.random.randint(WIDTH)
    boxes.append((y - 8, x - 8))
columns("Cutout.size16", boxes)
write_safetensors("augment/distributions.safetensors", shares)
