"""MNIST with two fully connected layers, on the device that is there."""

import time

import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

EPOCHS, SEED = 5, 1

# Which devices are there, and which is taken?
print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
if torch.cuda.is_available():
    for i in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(i)
        print(f"cuda:{i}  {card.name}  {card.total_memory / 2**30:.1f} GiB")
else:
    print("CUDA is not available")
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.manual_seed(SEED)

transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
train_set = datasets.MNIST("data", train=True, download=True, transform=transform)
test_set = datasets.MNIST("data", train=False, download=True, transform=transform)
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
test_loader = DataLoader(test_set, batch_size=1000)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = x.flatten(1)
        x = torch.relu(self.fc1(x))
        return self.fc2(x)


model = MLP().to(device)
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=1e-3)
print(f"{sum(p.numel() for p in model.parameters())} parameters on {device}")


def train_epoch():
    """The loss of each step."""
    model.train()
    losses = []
    for images, labels in train_loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@torch.no_grad()
def test():
    """Mean loss and accuracy over the test set."""
    model.eval()
    loss, correct = 0.0, 0
    for images, labels in test_loader:
        images, labels = images.to(device), labels.to(device)
        logits = model(images)
        loss += criterion(logits, labels).item() * len(labels)
        correct += (logits.argmax(1) == labels).sum().item()
    return loss / len(test_set), correct / len(test_set)


step_losses, test_losses, accuracies, best = [], [], [], 0.0
start = time.time()
for epoch in range(1, EPOCHS + 1):
    epoch_start = time.time()
    losses = train_epoch()
    test_loss, accuracy = test()
    step_losses += losses
    test_losses.append(test_loss)
    accuracies.append(accuracy)
    print(f"epoch {epoch}/{EPOCHS}  loss {sum(losses) / len(losses):.4f}  test {test_loss:.4f}  "
          f"accuracy {100 * accuracy:.2f} %  {time.time() - epoch_start:.1f} s")
    if accuracy > best:
        best = accuracy
        torch.save(model.state_dict(), "mlp.pt")
print(f"{EPOCHS} epochs in {time.time() - start:.1f} s; best accuracy {100 * best:.2f} %")

model.load_state_dict(torch.load("mlp.pt", map_location=device, weights_only=True))
model.eval()
image, label = test_set[7]
with torch.no_grad():
    probabilities = model(image.unsqueeze(0).to(device)).softmax(1)[0]
print(f"image 7 is a {probabilities.argmax().item()}, {100 * probabilities.max().item():.2f} % (it is {label})")
