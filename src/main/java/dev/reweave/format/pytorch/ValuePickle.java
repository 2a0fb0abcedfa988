package dev.reweave.format.pytorch;

import dev.reweave.tensor.TensorSpec;
import java.math.BigInteger;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * The {@code data.pkl} that {@code torch.save} gives for a value: protocol 2, each object once
 * ({@code Modules/_pickle.c}). Text and names are one object wherever they are equal, so that it
 * need not be torch's own pickle to the byte.
 */
final class ValuePickle {
  private static final Charset ASCII = StandardCharsets.US_ASCII;

  /** How Python 3 writes bytes in protocol 2. */
  private static final String LATIN1 = "latin1";

  private final PickleOutput out = new PickleOutput();
  private final TensorPickle tensorWriter = new TensorPickle(out);
  private final IdentityHashMap<PickledValue, Integer> numbers = new IdentityHashMap<>();
  private final List<TensorSpec> tensors = new ArrayList<>();

  private ValuePickle() {}

  /** A pickle and the tensors in it. */
  static final class Written {
    private final byte[] pickle;
    private final List<TensorSpec> tensors;

    private Written(byte[] pickle, List<TensorSpec> tensors) {
      this.pickle = pickle;
      this.tensors = List.copyOf(tensors);
    }

    byte[] pickle() {
      return pickle.clone();
    }

    /** In the order of their storages. */
    List<TensorSpec> tensors() {
      return tensors;
    }
  }

  /**
   * Writes a value.
   *
   * @throws dev.reweave.common.ReweaveException if there is text that UTF-8 cannot write, or a
   *     tensor of a type that torch does not have
   */
  static Written of(PickledValue value) {
    ValuePickle pickle = new ValuePickle();
    pickle.write(value);
    return new Written(pickle.out.op('.').bytes(), pickle.tensors);
  }

  private void write(PickledValue value) {
    Integer known = numbers.get(value);
    if (known != null) {
      out.get(known);
    } else if (value instanceof PickledValue.Plain plain) {
      plain(plain.value());
    } else if (value instanceof PickledValue.Name name) {
      name(name);
    } else if (value instanceof PickledValue.Tensor tensor) {
      tensorWriter.write(tensor.spec(), tensors.size());
      tensors.add(tensor.spec());
      numbers.put(value, out.numbered() - 1);
    } else if (value instanceof PickledValue.Items items) {
      items(items);
    } else if (value instanceof PickledValue.Entries entries) {
      out.op('}');
      numbers.put(value, out.put());
      set(entries);
    } else if (value instanceof PickledValue.Made made) {
      made(made);
    }
  }

  /** Protocol 2 has no names of what stands in a class: Python asks the class for it. */
  private void name(PickledValue.Name name) {
    if (!ASCII.newEncoder().canEncode(name.module() + name.name())) {
      throw TorchFileFailures.nameNotAscii(name.module() + "." + name.name());
    }
    int dot = name.name().lastIndexOf('.');
    if (dot < 0) {
      out.global(name.module(), name.name());
    } else {
      out.global("__builtin__", "getattr");
      name(new PickledValue.Name(name.module(), name.name().substring(0, dot)));
      out.sharedText(name.name().substring(dot + 1));
      out.op(0x86).put();
      out.op('R').put();
    }
  }

  private void plain(Object value) {
    if (value == None.NONE) {
      out.op('N');
    } else if (value instanceof Boolean truth) {
      out.op(truth ? 0x88 : 0x89);
    } else if (value instanceof Long number) {
      out.integer(number);
    } else if (value instanceof BigInteger number) {
      out.integer(number);
    } else if (value instanceof Double number) {
      out.real(number);
    } else if (value instanceof String text) {
      if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
        throw TorchFileFailures.nameNotUnicode(text);
      }
      out.sharedText(text);
    } else if (value instanceof byte[] bytes) {
      out.global("_codecs", "encode");
      out.sharedText(new String(bytes, StandardCharsets.ISO_8859_1)).sharedText(LATIN1);
      out.op(0x86).put();
      out.op('R').put();
    } else {
      throw new IllegalArgumentException("no plain value: " + value.getClass());
    }
  }

  private void items(PickledValue.Items items) {
    switch (items.kind()) {
      case TUPLE -> {
        tuple(items.items());
        if (!items.items().isEmpty()) {
          numbers.put(items, out.put());
        }
      }
      case LIST -> {
        out.op(']');
        numbers.put(items, out.put());
        append(items.items());
      }
      case SIZE -> reduced("torch", "Size", PickledValue.tuple(items.items()), items);
      // Protocol 2 is for Python 2, too, which calls builtins so.
      case SET -> reduced("__builtin__", "set", PickledValue.list(items.items()), items);
    }
  }

  private void reduced(String module, String name, PickledValue argument, PickledValue whole) {
    out.global(module, name);
    write(argument);
    out.op(0x85).put();
    out.op('R');
    numbers.put(whole, out.put());
  }

  private void tuple(List<PickledValue> items) {
    if (items.isEmpty()) {
      out.op(')');
      return;
    }
    if (items.size() > 3) {
      out.op('(');
    }
    items.forEach(this::write);
    out.op(items.size() > 3 ? 't' : 0x84 + items.size());
  }

  private void append(List<PickledValue> items) {
    if (!items.isEmpty()) {
      out.op('(');
      items.forEach(this::write);
      out.op('e');
    }
  }

  private void set(PickledValue.Entries entries) {
    if (entries.size() > 0) {
      out.op('(');
      for (int i = 0; i < entries.size(); i++) {
        write(entries.key(i));
        write(entries.value(i));
      }
      out.op('u');
    }
  }

  private void made(PickledValue.Made made) {
    write(made.callable());
    write(made.arguments());
    out.op(made.by() == PickledValue.Made.By.NEW ? 0x81 : 'R');
    numbers.put(made, out.put());
    append(made.appended().items());
    set(made.entries());
    if (!made.state().equals(PickledValue.none())) {
      write(made.state());
      out.op('b');
    }
  }
}
