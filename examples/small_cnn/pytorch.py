"""A small convolutional network: curves, weights saved and loaded again, one image, and the same on clothes."""

import time

import matplotlib
import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

EPOCHS, SEED = 5, 1
DATASETS = [datasets.MNIST, datasets.FashionMNIST]

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])


class SmallCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, 128),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(128, 10),
        )

    def forward(self, x):
        return self.classifier(self.features(x))


def evaluate(model, loader):
    """Mean loss, accuracy, and how often each class was taken for which."""
    model.eval()
    criterion = nn.CrossEntropyLoss(reduction="sum")
    loss, confusion = 0.0, torch.zeros(10, 10, dtype=torch.long)
    with torch.no_grad():
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            logits = model(images)
            loss += criterion(logits, labels).item()
            for true, predicted in zip(labels, logits.argmax(1)):
                confusion[true, predicted] += 1
    n = len(loader.dataset)
    return loss / n, confusion.trace().item() / n, confusion


def fit(model, train_loader, test_loader, path):
    """Trains; keeps the weights of the best epoch in `path`. Returns what happened."""
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    history = {"steps": [], "train": [], "test": [], "accuracy": []}
    best = 0.0
    for epoch in range(1, EPOCHS + 1):
        start = time.time()
        model.train()
        total = 0.0
        for images, labels in train_loader:
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            history["steps"].append(loss.item())
            total += loss.item() * len(labels)
        test_loss, accuracy, _ = evaluate(model, test_loader)
        history["train"].append(total / len(train_loader.dataset))
        history["test"].append(test_loss)
        history["accuracy"].append(accuracy)
        print(f"epoch {epoch}/{EPOCHS}  loss {history['train'][-1]:.4f}  test {test_loss:.4f}  "
              f"accuracy {100 * accuracy:.2f} %  {time.time() - start:.1f} s")
        if accuracy > best:
            best = accuracy
            torch.save(model.state_dict(), path)
    return history


def plot(history, path):
    """Loss and accuracy against steps."""
    per_epoch = len(history["steps"]) // EPOCHS
    ends = [per_epoch * epoch for epoch in range(1, EPOCHS + 1)]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.plot(history["steps"], color="lightgrey", label="step")
    left.plot([end - per_epoch / 2 for end in ends], history["train"], label="train")
    left.plot(ends, history["test"], "o", label="test")
    left.set(xlabel="step", ylabel="loss", yscale="log")
    left.legend()
    right.plot(ends, history["accuracy"], "o-")
    right.set(xlabel="step", ylabel="test accuracy")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


for dataset in DATASETS:
    name = dataset.__name__
    torch.manual_seed(SEED)
    train_set = dataset("data", train=True, download=True, transform=transform)
    test_set = dataset("data", train=False, download=True, transform=transform)
    train_loader = DataLoader(train_set, batch_size=128, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=1000)
    print(f"{name}: {len(train_set)} training and {len(test_set)} test samples")

    history = fit(SmallCNN().to(device), train_loader, test_loader, f"small_cnn_{name}.pt")
    plot(history, f"curves_{name}.png")

    # Another model, from the file.
    model = SmallCNN().to(device)
    model.load_state_dict(torch.load(f"small_cnn_{name}.pt", map_location=device, weights_only=True))
    loss, accuracy, confusion = evaluate(model, test_loader)
    print(f"loaded again: test {loss:.4f}  accuracy {100 * accuracy:.2f} %")
    print(confusion)

    image, label = test_set[7]
    with torch.no_grad():
        probabilities = model(image.unsqueeze(0).to(device)).softmax(1)[0]
    for p, index in zip(*probabilities.sort(descending=True)):
        print(f"{test_set.classes[index]:>12}  {100 * p.item():6.2f} %")
    print(f"it is {test_set.classes[label]}")
