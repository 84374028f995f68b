"""Makes and checks the .npz files of the tests of sparsam-run."""

import sys
import zipfile

import numpy as np

command, *paths = sys.argv[1:]
if command == "make":
    np.savez(paths[0], **{"arg0": np.arange(4, dtype=np.float32), "count": np.int32(7),
                          "0/w/values": np.full(4, 0.5, np.float32)})  # fmt: skip
elif command == "check":
    given, out = np.load(paths[0]), np.load(paths[1])
    steps = int(paths[2])
    expected = given["0/w/values"] + steps * given["arg0"]
    np.testing.assert_array_equal(out["0/w/values"], expected)
    assert out["loss"] == (expected - given["arg0"]).sum() and out["loss"].shape == ()
    assert out["result2"].dtype == np.int32
    np.testing.assert_array_equal(out["result2"], [7] * 4)
    assert sorted(out.files) == ["0/w/values", "loss", "result2"]
elif command == "merge":
    np.savez_compressed(paths[2], **{**np.load(paths[0]), **np.load(paths[1])})
elif command == "break":
    arrays = dict(np.load(paths[0]))
    np.savez(
        paths[1] + "/missing.npz", **{k: v for k, v in arrays.items() if k != "count"}
    )
    np.savez(paths[1] + "/dtype.npz", **{**arrays, "count": np.float64(7)})
    np.savez(paths[1] + "/shape.npz", **{**arrays, "arg0": np.zeros((2, 2), np.float32)})
    np.savez(paths[1] + "/fortran.npz", **{**arrays, "arg0": np.zeros((2, 2), order="F")})
    np.savez(paths[1] + "/object.npz", **{**arrays, "arg0": np.array(["text"])})
    np.savez(paths[1] + "/big.npz", **{**arrays, "arg0": arrays["arg0"].astype(">f4")})
    np.savez(paths[1] + "/half.npz", **{**arrays, "arg0": np.zeros(4, np.float16)})
    np.savez(paths[1] + "/bool.npz", **{**arrays, "count": np.bool_(True)})
    np.savez(paths[1] + "/wide.npz", **{**arrays, "count": np.int64(7)})
    np.savez(paths[1] + "/unknown.npz", **arrays, cuont=np.int32(7), more=np.zeros(2))
    np.savez(paths[1] + "/both.npz", **{**arrays, "arg1": arrays["0/w/values"]})
    with zipfile.ZipFile(paths[1] + "/twice.npz", "w") as archive:
        for name in ("arg0", "arg0"):
            with archive.open(name + ".npy", "w") as member:
                np.lib.format.write_array(member, arrays["arg0"])
    open(paths[1] + "/empty.npz", "wb").close()
    contents = open(paths[0], "rb").read()
    # The size that the central directory states for the first array.
    at = contents.index(b"PK\x01\x02") + 24
    sized = contents[:at] + (0xFFFFFF00).to_bytes(4, "little") + contents[at + 4 :]
    open(paths[1] + "/sized.npz", "wb").write(sized)
    open(paths[1] + "/truncated.npz", "wb").write(contents[: len(contents) // 2])
    at = contents.index(b"NUMPY") + 140  # inside the elements of an array
    flipped = contents[:at] + bytes([contents[at] ^ 1]) + contents[at + 1 :]
    open(paths[1] + "/flipped.npz", "wb").write(flipped)
