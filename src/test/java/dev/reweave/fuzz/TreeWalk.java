package dev.reweave.fuzz;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.statedict.StateDictFile;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Asks for all that readers ask of what was read, as deep as no honest file goes. */
final class TreeWalk {
  private static final int MOST_DEPTH = 5;
  private static final int MOST_VALUES = 1_000;
  private static final int MOST_ELEMENTS = 100;

  /** To refuse takes longer than all else. */
  private static final int MOST_REFUSED = 4;

  private final Optional<TorchFile> file;
  private int values;
  private int refused;

  private TreeWalk(Optional<TorchFile> file) {
    this.file = file;
  }

  /** Of a pickle alone. */
  static void of(TorchValue root) {
    new TreeWalk(Optional.empty()).value(root, 0);
  }

  static void of(TorchFile file) throws IOException {
    refusing(file::storages);
    refusing(() -> tensors(StateDictFile.stateDict(file).tensors()));
    new TreeWalk(Optional.of(file)).value(file.root(), 0);
  }

  static void of(Checkpoint checkpoint) {
    tensors(checkpoint.tensors());
    for (Map.Entry<String, String> alias : checkpoint.aliases().entrySet()) {
      if (checkpoint.tensors().stream().noneMatch(t -> t.name().equals(alias.getValue()))) {
        throw new AssertionError(alias + " is an alias of no tensor");
      }
    }
  }

  static void tensors(List<NamedTensor> tensors) {
    for (NamedTensor tensor : tensors) {
      Layout layout = tensor.layout();
      long some = Math.min(MOST_ELEMENTS, layout.elements());
      runs(layout, 0, some);
      runs(layout, layout.elements() - some, layout.elements());
    }
  }

  private static void runs(Layout layout, long from, long to) {
    layout.runs(
        from,
        to,
        (storage, offset, elements) -> {
          if (offset < 0 || elements < 0 || elements > storage.elements() - offset) {
            throw new AssertionError("a run outside of its storage " + storage.name());
          }
        });
  }

  private void value(TorchValue value, int depth) {
    if (depth > MOST_DEPTH || values > MOST_VALUES) {
      return;
    }
    values++;
    if (value.isDict()) {
      value.find("module").ifPresent(TorchValue::path);
      inner(value.entries().stream().map(Map.Entry::getValue).toList(), depth);
      if (depth < 2) {
        inner(value.pairs().stream().map(Map.Entry::getKey).toList(), depth);
      }
    } else if (value.isSequence()) {
      refusing(value::shape);
      inner(value.items(), depth);
    } else if (value.isTensor()) {
      file.ifPresent(f -> refusing(() -> tensors(List.of(located(f, value)))));
    } else if (!value.isText() && !value.isNone() && refused++ < MOST_REFUSED) {
      refusing(value::real);
      refusing(value::dtype);
    }
    value.attribute("a").ifPresent(a -> value(a, depth + 1));
    value.state().ifPresent(state -> value(state, depth + 1));
  }

  private void inner(List<TorchValue> inner, int depth) {
    values += inner.size();
    inner.forEach(value -> value(value, depth + 1));
  }

  private static NamedTensor located(TorchFile file, TorchValue value) throws IOException {
    return file.locate(value.path(), value.tensor());
  }

  /** What is refused for one value leaves the others to be asked. */
  private static void refusing(Promise.Reading reading) {
    try {
      reading.run();
    } catch (ReweaveException e) {
      // one of the two outcomes that there may be
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
