package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** A file that is no torch.save file, and what it may be instead. */
final class ForeignFile {
  /** First bytes that are looked at: enough for the signature of a tar. */
  static final int HEAD_BYTES = 512;

  private static final int TAR_SIGNATURE = 257;

  private ForeignFile() {}

  /** What to tell of a file that starts with {@code head}. */
  static ReweaveException describe(InputFile file, byte[] head) {
    String text = new String(head, StandardCharsets.ISO_8859_1);
    if (text.isEmpty()) {
      return problem(file, "the file is empty", "copy it again from its source");
    }
    if (text.startsWith("version https://git-lfs")) {
      return problem(
          file,
          "the file is a git-lfs pointer, not the file itself",
          "run 'git lfs pull' where it was cloned, and copy it again");
    }
    if (text.startsWith("PK\3\4")) {
      return problem(
          file,
          "the file is truncated: a zip without its end",
          "copy it again from its source; if it is as long there, the run died while saving it");
    }
    if (isSafetensors(file, head)) {
      return unsupported(
          file,
          "the file is a safetensors file, not a torch.save file",
          "give it a name that ends in .safetensors");
    }
    if (text.startsWith("ustar", TAR_SIGNATURE)) {
      return unsupported(
          file,
          "the file is a tar, as torch.save wrote before PyTorch 0.1.10, or another",
          "load it with that PyTorch and save it again");
    }
    if (text.charAt(0) == 0x80) {
      return unsupported(
          file,
          "the file is a plain pickle, or its start is damaged, and not a torch.save file",
          "save it again with torch.save");
    }
    return unsupported(
        file,
        "not a torch.save file: it starts with "
            + HexFormat.ofDelimiter(" ").formatHex(head, 0, Math.min(8, head.length)),
        "name a file that torch.save wrote");
  }

  private static boolean isSafetensors(InputFile file, byte[] head) {
    if (head.length <= Long.BYTES || head[Long.BYTES] != '{') {
      return false;
    }
    long header = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return header > 0 && header <= file.length() - Long.BYTES;
  }

  private static ReweaveException unsupported(InputFile file, String problem, String remedy) {
    return ReweaveException.unsupported(problem, file.uri(), remedy);
  }

  private static ReweaveException problem(InputFile file, String problem, String remedy) {
    return new ReweaveException(problem, file.uri(), remedy);
  }
}
