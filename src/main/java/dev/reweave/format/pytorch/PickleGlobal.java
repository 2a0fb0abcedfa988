package dev.reweave.format.pytorch;

/** The name of a Python class or function in a pickle. Nothing is looked up by it. */
record PickleGlobal(String module, String name, String path) {
  PickleGlobal(String module, String name) {
    this(module, name, module + "." + name);
  }

  @Override
  public String toString() {
    return path;
  }
}
