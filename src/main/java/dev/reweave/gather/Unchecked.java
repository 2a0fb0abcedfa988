package dev.reweave.gather;

/** Why the bytes of a storage were not compared with a checksum. */
public enum Unchecked {
  SAFETENSORS("safetensors files carry no checksums"),
  OFFLOADED("the files of masters on NVMe carry no checksums"),
  OLD_FORMAT("files of torch.save's legacy format carry no checksums"),
  SWITCHED_OFF("they were saved without checksums: torch.serialization.set_crc32_options(False)"),
  OVERLAPPING("tensors overlap in them, so that bytes are read more than once"),
  NOT_READ_WHOLE("a large part of them is not needed, and was not read");

  private final String reason;

  Unchecked(String reason) {
    this.reason = reason;
  }

  /** In words, for summary and manifest. */
  public String reason() {
    return reason;
  }
}
