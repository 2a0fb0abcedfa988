package dev.reweave.soak;

import java.nio.file.Path;
import java.util.List;

/**
 * A conversion of a checkpoint, and what it makes.
 *
 * @param name of it
 * @param input a folder of the local disk
 * @param arguments beside input and output
 * @param expected what the undisturbed product made
 */
record Case(String name, Path input, List<String> arguments, Model expected) {
  Case {
    arguments = List.copyOf(arguments);
  }
}
