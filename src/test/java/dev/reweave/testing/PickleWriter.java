package dev.reweave.testing;

import dev.reweave.tensor.Shape;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Pickles values with protocol 2, byte for byte as Python does in torch.save.
 *
 * <p>Taken are null, Boolean, Integer, Long, Double, String, List (list), Map (dict), {@link
 * TensorValue} and the records here. As in Python, a String <em>object</em> that was written before
 * is written as a reference, and an equal other one is written again.
 */
public final class PickleWriter {
  /** Items that one opcode adds to a list or dictionary at most, as in Python's pickler. */
  private static final int BATCH = 1000;

  /** A tuple. */
  public record Tuple(List<?> items) {}

  /** A {@code collections.OrderedDict}, with attributes of its own as {@code state_dict()} has. */
  public record OrderedDict(Map<?, ?> items, Map<?, ?> attributes) {
    /** Without attributes. */
    public OrderedDict(Map<?, ?> items) {
      this(items, Map.of());
    }
  }

  /** The result of a call: {@code module.name(*args)}. */
  public record Call(String module, String name, List<?> args) {}

  /** A class, function or other value that is named alone, such as {@code torch.float32}. */
  public record Global(String module, String name) {}

  /** An object made without a constructor, with these attributes. */
  public record Instance(String module, String name, Map<?, ?> attributes) {}

  /** A tensor with attributes of its own, as ZeRO-3 leaves them. */
  public record TensorWithAttributes(TensorValue tensor, Map<?, ?> attributes) {}

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final IdentityHashMap<String, Integer> strings = new IdentityHashMap<>();
  private final Map<String, Integer> globals = new HashMap<>();
  private int memo;

  private PickleWriter() {}

  /**
   * The pickle of a value.
   *
   * @throws IllegalArgumentException if it holds anything but the types above
   */
  public static byte[] pickle(Object root) {
    PickleWriter writer = new PickleWriter();
    writer.out.write(0x80);
    writer.out.write(2);
    writer.value(root);
    writer.out.write('.');
    return writer.out.toByteArray();
  }

  /** A dictionary of alternating keys and values, in this order; null stands for None. */
  public static Map<Object, Object> dict(Object... keysAndValues) {
    Map<Object, Object> dict = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      dict.put(keysAndValues[i], keysAndValues[i + 1]);
    }
    return dict;
  }

  /** A {@code torch.Size}. */
  public static Call size(Shape shape) {
    return new Call("torch", "Size", List.of(tuple(shape)));
  }

  /** The enumeration that DeepSpeed writes as {@code zero_stage}. */
  public static Call zeroStage(int stage) {
    return new Call("deepspeed.runtime.zero.config", "ZeroStageEnum", List.of(stage));
  }

  private static Tuple tuple(Shape shape) {
    return new Tuple(Arrays.stream(shape.dims()).boxed().toList());
  }

  private void value(Object value) {
    if (value == null) {
      out.write('N');
    } else if (value instanceof Boolean b) {
      out.write(b ? 0x88 : 0x89);
    } else if (value instanceof Integer i) {
      integer(i);
    } else if (value instanceof Long l) {
      integer(l);
    } else if (value instanceof Double d) {
      out.write('G');
      bigEndian(Double.doubleToRawLongBits(d));
    } else if (value instanceof String s) {
      string(s);
    } else if (value instanceof List<?> list) {
      out.write(']');
      put();
      batches(list, this::value, 'a', 'e');
    } else if (value instanceof Map<?, ?> map) {
      out.write('}');
      put();
      items(map);
    } else {
      object(value);
    }
  }

  private void object(Object value) {
    if (value instanceof Tuple tuple) {
      tuple(tuple.items());
    } else if (value instanceof OrderedDict dict) {
      call("collections", "OrderedDict", List.of());
      items(dict.items());
      if (!dict.attributes().isEmpty()) {
        value(dict.attributes());
        out.write('b');
      }
    } else if (value instanceof Global global) {
      global(global.module(), global.name());
    } else if (value instanceof Call call) {
      call(call.module(), call.name(), call.args());
    } else if (value instanceof Instance instance) {
      global(instance.module(), instance.name());
      out.write(')');
      out.write(0x81);
      put();
      value(instance.attributes());
      out.write('b');
    } else if (value instanceof TensorValue tensor) {
      global("torch._utils", "_rebuild_tensor_v2");
      tensorArguments(tensor);
      out.write('R');
      put();
    } else if (value instanceof TensorWithAttributes tensor) {
      global("torch._tensor", "_rebuild_from_type_v2");
      out.write('(');
      global("torch._utils", "_rebuild_tensor_v2");
      global("torch", "Tensor");
      tensorArguments(tensor.tensor());
      value(tensor.attributes());
      out.write('t');
      put();
      out.write('R');
      put();
    } else {
      throw new IllegalArgumentException("cannot pickle a " + value.getClass());
    }
  }

  private void tensorArguments(TensorValue tensor) {
    out.write('(');
    out.write('(');
    string("storage");
    global("torch", tensor.storageClass());
    string(tensor.storageKey());
    string(tensor.device());
    integer(tensor.storageElements());
    out.write('t');
    put();
    out.write('Q');
    integer(tensor.offset());
    value(tuple(tensor.shape()));
    tuple(tensor.strides());
    value(tensor.requiresGrad());
    call("collections", "OrderedDict", List.of());
    out.write('t');
    put();
  }

  private void call(String module, String name, List<?> args) {
    global(module, name);
    tuple(args);
    out.write('R');
    put();
  }

  private void tuple(List<?> items) {
    if (items.isEmpty()) {
      out.write(')');
      return;
    }
    if (items.size() > 3) {
      out.write('(');
    }
    items.forEach(this::value);
    out.write(items.size() > 3 ? 't' : 0x84 + items.size());
    put();
  }

  private void items(Map<?, ?> map) {
    batches(
        map.entrySet(),
        entry -> {
          value(entry.getKey());
          value(entry.getValue());
        },
        's',
        'u');
  }

  private <T> void batches(Iterable<T> items, Consumer<? super T> write, int one, int many) {
    Iterator<T> rest = items.iterator();
    while (rest.hasNext()) {
      List<T> batch = new ArrayList<>();
      while (rest.hasNext() && batch.size() < BATCH) {
        batch.add(rest.next());
      }
      if (batch.size() == 1) {
        write.accept(batch.get(0));
        out.write(one);
      } else {
        out.write('(');
        batch.forEach(write);
        out.write(many);
      }
    }
  }

  private void integer(long value) {
    if (value >= 0 && value <= 0xff) {
      out.write('K');
      littleEndian(value, 1);
    } else if (value >= 0 && value <= 0xffff) {
      out.write('M');
      littleEndian(value, 2);
    } else if (value == (int) value) {
      out.write('J');
      littleEndian(value, 4);
    } else {
      int bytes = BigInteger.valueOf(value).toByteArray().length;
      out.write(0x8a);
      out.write(bytes);
      littleEndian(value, bytes);
    }
  }

  private void string(String value) {
    Integer known = strings.get(value);
    if (known != null) {
      reference(known);
      return;
    }
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    out.write('X');
    littleEndian(utf8.length, 4);
    out.writeBytes(utf8);
    strings.put(value, put());
  }

  private void global(String module, String name) {
    String line = module + "\n" + name + "\n";
    Integer known = globals.get(line);
    if (known != null) {
      reference(known);
      return;
    }
    out.write('c');
    out.writeBytes(line.getBytes(StandardCharsets.UTF_8));
    globals.put(line, put());
  }

  /** Remembers the value just written. */
  private int put() {
    out.write(memo < 256 ? 'q' : 'r');
    littleEndian(memo, memo < 256 ? 1 : 4);
    return memo++;
  }

  private void reference(int index) {
    out.write(index < 256 ? 'h' : 'j');
    littleEndian(index, index < 256 ? 1 : 4);
  }

  private void littleEndian(long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >> (8 * i)));
    }
  }

  private void bigEndian(long value) {
    littleEndian(Long.reverseBytes(value), Long.BYTES);
  }
}
