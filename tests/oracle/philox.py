"""Weights that C and Python make alike, from Philox4x32-10 (Salmon et al., SC 2011, "Parallel random numbers:
as easy as 1, 2, 3")."""

import numpy as np


def philox(counter, key):
    """Ten rounds over an array of counters [n, 4] of 32-bit words with one key of two words; gives [n, 4]."""
    c = [np.asarray(counter)[:, i].astype(np.uint64) for i in range(4)]
    k = [np.uint64(key[0]), np.uint64(key[1])]
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        first, second = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(second >> shift) ^ c[1] ^ k[0], second & low, (first >> shift) ^ c[3] ^ k[1], first & low]
        k = [(k[0] + np.uint64(0x9E3779B9)) & low, (k[1] + np.uint64(0xBB67AE85)) & low]
    return np.stack(c, axis=1).astype(np.uint32)


def check_known_answers():
    """The published test vectors of the generator."""
    ones = 0xFFFFFFFF
    for counter, key, answer in [
            ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
            ([ones] * 4, [ones] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
            ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0],
             [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1])]:
        assert philox([counter], key)[0].tolist() == answer, counter


def uniform_weights(count, index, variant, bound):
    """Element i of parameter number `index`: bound * (2u - 1), u in [0, 1) with 24 bits; all in float32."""
    counter = np.zeros([(count + 3) // 4, 4], np.uint32)
    counter[:, 0] = np.arange(len(counter))
    words = philox(counter, [index, variant]).reshape(-1)[:count]
    u = (words >> np.uint32(8)).astype(np.float32) * np.float32(2.0 ** -24)
    return np.float32(bound) * (np.float32(2) * u - np.float32(1))
