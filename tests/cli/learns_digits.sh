# Each model learns drawn digits.
data=$(digits)
learns mlp "$data" 90 --epochs 3
learns mlp3 "$data" 60 --epochs 6 --lr 0.05
learns mnist_cnn "$data" 90 --epochs 3
learns fashion_lenet "$data" 85 --epochs 5 --batch 50 --lr 2e-3
learns strided_cnn "$data" 50 --epochs 8 --lr 0.05
