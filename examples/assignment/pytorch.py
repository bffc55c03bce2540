"""The assignment: two networks on MNIST, 10 epochs and 10 more, on each device; losses, times, parameters, FLOPs."""

import os
import time

import matplotlib
import torch
from thop import profile
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

EPOCHS, MORE, SEED = 10, 10, 1

transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
train_set = datasets.MNIST("data", train=True, download=True, transform=transform)
test_set = datasets.MNIST("data", train=False, download=True, transform=transform)
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
test_loader = DataLoader(test_set, batch_size=1000)


class MLP3(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)

    def forward(self, x):
        x = x.flatten(1)
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.fc3(x)


class StridedCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(64, 128, 3, stride=2, padding=1)
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.fc1 = nn.Linear(128, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        x = torch.relu(self.conv3(x))
        x = self.pool(x).flatten(1)
        x = torch.relu(self.fc1(x))
        return self.fc2(x)


def test(model, device):
    model.eval()
    criterion = nn.CrossEntropyLoss(reduction="sum")
    loss, correct = 0.0, 0
    with torch.no_grad():
        for images, labels in test_loader:
            images, labels = images.to(device), labels.to(device)
            logits = model(images)
            loss += criterion(logits, labels).item()
            correct += (logits.argmax(1) == labels).sum().item()
    return loss / len(test_set), correct / len(test_set)


def train(model, device, path, epochs):
    """Trains until `epochs` are done in all, from the checkpoint in `path` if there is one."""
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
    done, history = 0, {"loss": [], "test": [], "accuracy": [], "seconds": []}
    if os.path.exists(path):
        state = torch.load(path, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        done, history = state["epoch"], state["history"]
    for epoch in range(done + 1, epochs + 1):
        start = time.time()
        model.train()
        for step, (images, labels) in enumerate(train_loader, 1):
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            history["loss"].append(loss.item())
            if step % 100 == 0:
                print(f"epoch {epoch}/{epochs}  step {step}/{len(train_loader)}  loss {loss.item():.4f}")
        test_loss, accuracy = test(model, device)
        seconds = time.time() - start
        history["test"].append(test_loss)
        history["accuracy"].append(accuracy)
        history["seconds"].append(seconds)
        print(f"epoch {epoch}/{epochs}  test {test_loss:.4f}  accuracy {100 * accuracy:.2f} %  {seconds:.1f} s")
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                    "epoch": epoch, "history": history}, path)
    print(f"{epochs} epochs in {sum(history['seconds']):.1f} s")
    return history


devices = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
if len(devices) == 1:
    print("CUDA is not available: CPU alone")
histories = {}
for network in (MLP3, StridedCNN):
    name = network.__name__
    flops, parameters = profile(network(), inputs=(torch.randn(1, 1, 28, 28),), verbose=False)
    print(f"{name}: {parameters:.0f} parameters, {flops:.0f} FLOPs by thop (multiply-adds)")
    for device in devices:
        torch.manual_seed(SEED)
        path = f"{name}_{device}.pt"
        if os.path.exists(path):
            os.remove(path)
        train(network().to(device), device, path, EPOCHS)
        histories[name, device] = train(network().to(device), device, path, EPOCHS + MORE)

for (name, device), history in histories.items():
    per_epoch = len(train_loader)
    every = range(0, len(history["loss"]), 100)
    plt.plot(every, [history["loss"][i] for i in every], label=f"{name} on {device}", alpha=0.5)
    plt.plot([per_epoch * (i + 1) for i in range(len(history["test"]))], history["test"], "o", label=f"{name} test")
    print(f"{name:10}  {device:4}  {history['accuracy'][-1]:.4f}  {sum(history['seconds']) / len(history['seconds']):.1f} s an epoch"
          f"  {sum(history['seconds']):.1f} s")
plt.yscale("log")
plt.xlabel("step")
plt.ylabel("loss")
plt.legend()
plt.savefig("losses.png")
