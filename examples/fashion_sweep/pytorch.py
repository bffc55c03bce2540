"""A table of runs: LeNet on Fashion-MNIST for each combination of learning rate, batch and device."""

import time
from itertools import product

import pandas as pd
import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

EPOCHS, SEED = 3, 1
PARAMETERS = {
    "lr": [0.01],
    "batch": [1000, 10000, 20000],
    "device": ["cpu", "cuda"],
}


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5)
        self.conv2 = nn.Conv2d(6, 12, kernel_size=5)
        self.fc1 = nn.Linear(12 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 60)
        self.out = nn.Linear(60, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = x.flatten(1)
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.out(x)


class RunTable:
    """Collects what each epoch came to, and shows it as a table."""

    def __init__(self):
        self.rows, self.run, self.epoch = [], 0, 0

    def begin_run(self, values):
        self.run += 1
        self.epoch = 0
        self.values = values
        self.run_start = time.time()

    def begin_epoch(self):
        self.epoch += 1
        self.epoch_start = time.time()

    def end_epoch(self, loss, accuracy):
        now = time.time()
        self.rows.append({"run": self.run, "epoch": self.epoch, "loss": loss, "accuracy": accuracy,
                          "epoch time": now - self.epoch_start, "run time": now - self.run_start, **self.values})

    def failed(self, reason):
        self.rows.append({"run": self.run, "epoch": 0, **self.values, "reason": reason})

    def show(self):
        table = pd.DataFrame(self.rows)
        table.to_csv("table.csv", index=False)
        best = table.sort_values("accuracy", ascending=False).drop_duplicates("run")
        print(best.to_string(index=False))


train_set = datasets.FashionMNIST("data", train=True, download=True, transform=transforms.ToTensor())
test_set = datasets.FashionMNIST("data", train=False, download=True, transform=transforms.ToTensor())
table = RunTable()
best = 0.0
for values in product(*PARAMETERS.values()):
    run = dict(zip(PARAMETERS, values))
    table.begin_run(run)
    if run["device"] == "cuda" and not torch.cuda.is_available():
        table.failed("CUDA is not available")
        continue
    device = torch.device(run["device"])
    torch.manual_seed(SEED)
    model = LeNet().to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=run["lr"])
    train_loader = DataLoader(train_set, batch_size=run["batch"], shuffle=True)
    test_loader = DataLoader(test_set, batch_size=1000)
    for epoch in range(EPOCHS):
        table.begin_epoch()
        model.train()
        for images, labels in train_loader:
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
        model.eval()
        total, correct = 0.0, 0
        with torch.no_grad():
            for images, labels in test_loader:
                images, labels = images.to(device), labels.to(device)
                logits = model(images)
                total += criterion(logits, labels).item() * len(labels)
                correct += (logits.argmax(1) == labels).sum().item()
        accuracy = correct / len(test_set)
        table.end_epoch(total / len(test_set), accuracy)
        if accuracy > best:
            best = accuracy
            torch.save(model.state_dict(), "lenet.pt")
table.show()

model = LeNet()
model.load_state_dict(torch.load("lenet.pt", map_location="cpu", weights_only=True))
model.eval()
image, label = test_set[0]
with torch.no_grad():
    probabilities = model(image.unsqueeze(0)).softmax(1)[0]
print(f"image 0: {test_set.classes[probabilities.argmax()]}, {100 * probabilities.max().item():.2f} %"
      f" (it is {test_set.classes[label]})")
