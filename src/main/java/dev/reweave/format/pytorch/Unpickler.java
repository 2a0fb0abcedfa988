package dev.reweave.format.pytorch;

import java.io.IOException;
import java.math.BigInteger;
import java.util.Arrays;

/**
 * Reads pickles of protocols 0 to 5 into plain values, knowing no class and calling no code: {@link
 * None}, Boolean, Long, BigInteger, Double, String, {@code byte[]}, {@link PickleSequence}, {@link
 * PickleDict}, {@link PickleGlobal}, {@link PickleObject}, {@link TorchStorage} and {@link
 * TorchTensor}. Works without recursion, so that nesting has no limit. The opcodes are those of
 * Python's {@code pickletools}.
 */
final class Unpickler {
  private static final int HIGHEST_PROTOCOL = 5;

  private final PickleInput input;
  private final TorchGlobals globals;
  private final PickleBudget budget;
  private final PickleStack stack;
  private final TextOpcodes texts;
  private Object[] memo = new Object[64];
  private int memoized;
  private long opcodes;

  /** Reads the pickle that starts at the input's position. */
  Unpickler(PickleInput input, TorchGlobals globals, PickleBudget budget) {
    this.input = input;
    this.globals = globals;
    this.budget = budget;
    this.stack = new PickleStack(input);
    this.texts = new TextOpcodes(input);
  }

  /**
   * The value of the pickle. Leaves the input behind its STOP opcode.
   *
   * @throws dev.reweave.common.ReweaveException if it is malformed, or needs more than the budget
   */
  Object load() throws IOException {
    for (int opcode = input.u1(); opcode != '.'; opcode = input.u1()) {
      opcodes++;
      budget.spend(1);
      if (!(scalar(opcode) || container(opcode) || memo(opcode) || call(opcode))) {
        throw PickleFailures.unknownOpcode(input, opcode);
      }
    }
    return stack.pop();
  }

  /** Opcodes that push a value on their own, or nothing. */
  private boolean scalar(int opcode) throws IOException {
    switch (opcode) {
      case 0x80 -> checkProtocol(input.u1());
      case 0x95 -> input.checkLength(input.littleEndian(8));
      case 'N' -> stack.push(None.NONE);
      case 0x88 -> stack.push(true);
      case 0x89 -> stack.push(false);
      case 'K' -> stack.push((long) input.u1());
      case 'M' -> stack.push(input.littleEndian(2));
      case 'J' -> stack.push((long) (int) input.littleEndian(4));
      case 0x8a -> stack.push(integer(input.bytes(input.u1())));
      case 0x8b -> stack.push(integer(input.bytes(input.littleEndian(4))));
      case 'G' -> stack.push(input.bigEndianDouble());
      case 0x8c -> stack.push(input.text(input.u1()));
      case 'X' -> stack.push(input.text(input.littleEndian(4)));
      case 0x8d -> stack.push(input.text(input.littleEndian(8)));
      case 'U' -> stack.push(texts.python2(input.bytes(input.u1())));
      case 'T' -> stack.push(texts.python2(input.bytes(input.littleEndian(4))));
      case 'C' -> stack.push(input.bytes(input.u1()));
      case 'B' -> stack.push(input.bytes(input.littleEndian(4)));
      case 0x8e, 0x96 -> stack.push(input.bytes(input.littleEndian(8)));
      case 'I' -> stack.push(texts.integerOrTruth());
      case 'L' -> stack.push(texts.integer());
      case 'F' -> stack.push(texts.real());
      case 'V' -> stack.push(texts.unicode());
      case 'S' -> stack.push(texts.quoted());
      default -> {
        return false;
      }
    }
    return true;
  }

  private void checkProtocol(int protocol) {
    if (protocol > HIGHEST_PROTOCOL) {
      throw PickleFailures.newerProtocol(input, protocol);
    }
  }

  private static Object integer(byte[] littleEndian) {
    if (littleEndian.length == 0) {
      return 0L;
    }
    for (int i = 0, j = littleEndian.length - 1; i < j; i++, j--) {
      byte swapped = littleEndian[i];
      littleEndian[i] = littleEndian[j];
      littleEndian[j] = swapped;
    }
    return TextOpcodes.smallest(new BigInteger(littleEndian));
  }

  /** Opcodes that make or fill a container. */
  private boolean container(int opcode) {
    switch (opcode) {
      case '(' -> stack.mark();
      case ')' -> stack.push(PickleSequence.EMPTY_TUPLE);
      case 't' -> stack.push(tuple(stack.popToMark()));
      case 0x85 -> stack.push(tuple(stack.pop()));
      case 0x86 -> {
        Object second = stack.pop();
        stack.push(tuple(stack.pop(), second));
      }
      case 0x87 -> {
        Object third = stack.pop();
        Object second = stack.pop();
        stack.push(tuple(stack.pop(), second, third));
      }
      case ']' -> stack.push(new PickleSequence(PickleSequence.Kind.LIST));
      case 'l' -> stack.push(new PickleSequence(PickleSequence.Kind.LIST, stack.popToMark()));
      case 0x8f -> stack.push(new PickleSequence(PickleSequence.Kind.SET));
      case 0x91 -> stack.push(new PickleSequence(PickleSequence.Kind.SET, stack.popToMark()));
      case '}' -> stack.push(new PickleDict());
      case 'd' -> {
        Object[] entries = stack.popToMark();
        stack.push(new PickleDict());
        put(entries);
      }
      case 'a' -> add(stack.pop());
      case 'e', 0x90 -> add(stack.popToMark());
      case 's' -> {
        Object value = stack.pop();
        put(stack.pop(), value);
      }
      case 'u' -> put(stack.popToMark());
      case '0' -> {
        if (stack.isAtMark()) {
          stack.popToMark();
        } else {
          stack.pop();
        }
      }
      case '1' -> stack.popToMark();
      case '2' -> stack.push(stack.peek());
      default -> {
        return false;
      }
    }
    return true;
  }

  private static PickleSequence tuple(Object... items) {
    return new PickleSequence(PickleSequence.Kind.TUPLE, items);
  }

  /** Appends to the list, set or unknown object on top of the stack. */
  private void add(Object... items) {
    Object target = stack.peek();
    for (Object item : items) {
      if (target instanceof PickleObject object) {
        object.add(item);
      } else if (target instanceof PickleSequence sequence
          && sequence.kind() != PickleSequence.Kind.TUPLE
          && sequence.kind() != PickleSequence.Kind.SIZE) {
        sequence.add(item);
      } else {
        throw PickleFailures.appendsToNoList(input);
      }
    }
  }

  /** Puts keys and values into the dict or unknown object on top of the stack. */
  private void put(Object... entries) {
    Object target = stack.peek();
    if (entries.length % 2 != 0) {
      throw PickleFailures.keyWithoutValue(input);
    }
    for (int i = 0; i < entries.length; i += 2) {
      if (target instanceof PickleDict dict) {
        dict.put(entries[i], entries[i + 1]);
      } else if (target instanceof PickleObject object) {
        object.put(entries[i], entries[i + 1]);
      } else {
        throw PickleFailures.putsIntoNoDict(input);
      }
    }
  }

  private boolean memo(int opcode) throws IOException {
    switch (opcode) {
      case 'q' -> memoize(input.u1());
      case 'r' -> memoize(input.littleEndian(4));
      case 'p' -> memoize(texts.index());
      case 0x94 -> memoize(memoized);
      case 'h' -> stack.push(memoized(input.u1()));
      case 'j' -> stack.push(memoized(input.littleEndian(4)));
      case 'g' -> stack.push(memoized(texts.index()));
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Picklers count up, so that an honest index is below the number of opcodes so far. */
  private void memoize(long index) {
    if (index > opcodes) {
      throw PickleFailures.farMemoIndex(input, index);
    }
    if (index >= memo.length) {
      memo = Arrays.copyOf(memo, (int) Math.max(index + 1, memo.length * 2L));
    }
    int at = (int) index;
    if (memo[at] == null) {
      memoized++;
    }
    memo[at] = stack.peek();
  }

  private Object memoized(long index) {
    if (index >= memo.length || memo[(int) index] == null) {
      throw PickleFailures.nothingInMemo(input, index);
    }
    return memo[(int) index];
  }

  /** Opcodes that name classes or functions, and those that would call them. */
  private boolean call(int opcode) throws IOException {
    switch (opcode) {
      case 'c' -> stack.push(global());
      case 0x93 -> {
        Object name = stack.pop();
        if (!(name instanceof String text) || !(stack.pop() instanceof String module)) {
          throw PickleFailures.globalNotText(input);
        }
        stack.push(global(module, text));
      }
      case 'R' -> {
        Object arguments = stack.pop();
        stack.push(called(stack.pop(), arguments));
      }
      case 0x81 -> {
        Object arguments = stack.pop();
        stack.push(made(stack.pop(), arguments));
      }
      case 0x92 -> {
        Object keywords = stack.pop(); // of no use without the class
        Object arguments = stack.pop();
        Object made = made(stack.pop(), arguments);
        if (made instanceof PickleObject object
            && !(keywords instanceof PickleDict none && none.entries().isEmpty())) {
          object.leaveOut();
        }
        stack.push(made);
      }
      case 'i' -> {
        PickleGlobal type = global();
        stack.push(called(type, tuple(stack.popToMark())));
      }
      case 'o' -> {
        Object[] parts = stack.popToMark();
        if (parts.length == 0) {
          throw PickleFailures.objectOfNoClass(input);
        }
        stack.push(called(parts[0], tuple(Arrays.copyOfRange(parts, 1, parts.length))));
      }
      case 'b' -> {
        Object state = stack.pop();
        if (stack.peek() instanceof PickleObject object) {
          object.build(state);
        } else if (stack.peek() instanceof PickleDict dict) {
          dict.made().ifPresent(made -> made.build(state));
        }
      }
      case 'Q' -> stack.push(persistent(stack.pop()));
      case 'P' -> throw PickleFailures.persistentText(input);
      case 0x82, 0x83, 0x84 -> throw PickleFailures.extensionRegistry(input);
      case 0x97, 0x98 -> throw PickleFailures.outOfBandBuffers(input);
      default -> {
        return false;
      }
    }
    return true;
  }

  private PickleGlobal global() throws IOException {
    String module = texts.utf8Line();
    return global(module, texts.utf8Line());
  }

  /** Counts as several values: it holds text, which a pickle can repeat from its memo. */
  private PickleGlobal global(String module, String name) {
    budget.spend(3 + (module.length() + name.length()) / 64);
    return new PickleGlobal(module, name);
  }

  private Object made(Object type, Object arguments) {
    Object made = called(type, arguments);
    if (made instanceof PickleObject object) {
      object.makeNew();
    }
    return made;
  }

  private Object called(Object callable, Object arguments) {
    if (!(arguments instanceof PickleSequence tuple) || tuple.kind() != PickleSequence.Kind.TUPLE) {
      throw PickleFailures.argumentsNoTuple(input);
    }
    try {
      return globals.call(callable, tuple);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw PickleFailures.malformedValue(input, e);
    }
  }

  private Object persistent(Object id) {
    try {
      return globals.persistent(id);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw PickleFailures.malformedStorage(input, e);
    }
  }
}
