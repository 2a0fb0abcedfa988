package dev.reweave.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.xbean.asm9.AnnotationVisitor;
import org.apache.xbean.asm9.ClassReader;
import org.apache.xbean.asm9.ClassVisitor;
import org.apache.xbean.asm9.FieldVisitor;
import org.apache.xbean.asm9.MethodVisitor;
import org.apache.xbean.asm9.Opcodes;

/** Classes in folders, jars and this Java's own platform, which are read and never loaded. */
public final class ClassFiles {
  /** Kinds of entries of a constant pool: the Java Virtual Machine Specification, 4.4. */
  private static final int CLASS = 7;

  private static final int FIELD = 9;
  private static final int INTERFACE_METHOD = 11;
  private static final int ASM = Opcodes.ASM9;
  private static final int HEADS = ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG;

  /**
   * A method or a field.
   *
   * @param name of the class that has it or is asked for it, with slashes
   * @param member its name and descriptor, such as {@code close()V} or {@code size:J}
   */
  public record Reference(String name, String member) {
    @Override
    public String toString() {
      return name.replace('/', '.') + " " + member;
    }
  }

  /**
   * What a class file says of itself.
   *
   * @param access its flags
   * @param supers its superclass, if it has one, and its interfaces
   * @param members flags by name and descriptor
   * @param annotations descriptors of its own, and under each member's name those of the member
   */
  public record ClassFile(
      String name,
      int access,
      List<String> supers,
      Map<String, Integer> members,
      Map<String, Set<String>> annotations) {
    boolean isAbstract() {
      return (access & Opcodes.ACC_ABSTRACT) != 0;
    }

    /** Annotations of a member, or of the class, if the name is empty. */
    public Set<String> annotations(String member) {
      return annotations.getOrDefault(member, Set.of());
    }
  }

  private final List<Path> folders = new ArrayList<>();
  private final Map<String, Path> jars = new HashMap<>();
  private final Map<String, Optional<ClassFile>> read = new HashMap<>();

  /** Those in these jars and folders. */
  public static ClassFiles in(Iterable<Path> places) throws IOException {
    ClassFiles files = new ClassFiles();
    for (Path place : places) {
      if (Files.isDirectory(place)) {
        files.folders.add(place);
      } else {
        try (ZipFile jar = new ZipFile(place.toFile())) {
          jar.stream()
              .map(ZipEntry::getName)
              .filter(name -> name.endsWith(".class"))
              .forEach(name -> files.jars.putIfAbsent(name, place));
        }
      }
    }
    return files;
  }

  /** Names of all classes in the folders, with slashes. */
  public List<String> inFolders() throws IOException {
    List<String> names = new ArrayList<>();
    for (Path folder : folders) {
      try (Stream<Path> all = Files.walk(folder)) {
        all.map(folder::relativize)
            .map(Path::toString)
            .filter(name -> name.endsWith(".class"))
            .map(name -> name.substring(0, name.length() - ".class".length()))
            .sorted()
            .forEach(names::add);
      }
    }
    return names;
  }

  /** A class; empty where there is none of this name. */
  public Optional<ClassFile> find(String name) {
    return read.computeIfAbsent(name, n -> bytes(n).map(ClassFiles::parse));
  }

  /** A member where it is declared: by this class, or one that it inherits from. */
  public Optional<Reference> resolve(Reference reference) {
    Optional<ClassFile> owner = find(reference.name());
    if (owner.isEmpty()) {
      return Optional.empty();
    }
    if (owner.get().members().containsKey(reference.member())) {
      return Optional.of(reference);
    }
    return owner.get().supers().stream()
        .map(name -> resolve(new Reference(name, reference.member())))
        .flatMap(Optional::stream)
        .findFirst();
  }

  /** All classes that a class names, and all members that it uses, but those of arrays. */
  public Set<Reference> uses(String name) {
    ClassReader reader = new ClassReader(bytes(name).orElseThrow());
    char[] room = new char[reader.getMaxStringLength()];
    Set<Reference> uses = new LinkedHashSet<>();
    for (int i = 1; i < reader.getItemCount(); i++) {
      int at = reader.getItem(i);
      int kind = at == 0 ? 0 : reader.readByte(at - 1);
      if (kind == CLASS) {
        uses.add(new Reference(reader.readUTF8(at, room), ""));
      } else if (kind >= FIELD && kind <= INTERFACE_METHOD) {
        int nameAndType = reader.getItem(reader.readUnsignedShort(at + 2));
        String type = reader.readUTF8(nameAndType + 2, room);
        uses.add(
            new Reference(
                reader.readClass(at, room),
                reader.readUTF8(nameAndType, room) + (kind == FIELD ? ":" : "") + type));
      }
    }
    uses.removeIf(use -> use.name().startsWith("["));
    return uses;
  }

  private Optional<byte[]> bytes(String name) {
    String file = name + ".class";
    try {
      for (Path folder : folders) {
        if (Files.exists(folder.resolve(file))) {
          return Optional.of(Files.readAllBytes(folder.resolve(file)));
        }
      }
      Path place = jars.get(file);
      if (place != null) {
        try (ZipFile jar = new ZipFile(place.toFile());
            InputStream in = jar.getInputStream(jar.getEntry(file))) {
          return Optional.of(in.readAllBytes());
        }
      }
      try (InputStream in = ClassLoader.getPlatformClassLoader().getResourceAsStream(file)) {
        return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ClassFile parse(byte[] bytes) {
    ClassReader reader = new ClassReader(bytes);
    List<String> supers = new ArrayList<>();
    Optional.ofNullable(reader.getSuperName()).ifPresent(supers::add);
    supers.addAll(List.of(reader.getInterfaces()));
    Head head = new Head();
    reader.accept(head, HEADS);
    return new ClassFile(
        reader.getClassName(), reader.getAccess(), supers, head.members, head.annotations);
  }

  private static final class Head extends ClassVisitor {
    private final Map<String, Integer> members = new TreeMap<>();
    private final Map<String, Set<String>> annotations = new HashMap<>();

    Head() {
      super(ASM);
    }

    private AnnotationVisitor annotated(String member, String descriptor) {
      annotations.computeIfAbsent(member, m -> new LinkedHashSet<>()).add(descriptor);
      return null;
    }

    @Override
    public AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
      return annotated("", descriptor);
    }

    @Override
    public MethodVisitor visitMethod(
        int access, String name, String type, String signature, String[] exceptions) {
      members.put(name + type, access);
      return new MethodVisitor(ASM) {
        @Override
        public AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
          return annotated(name + type, descriptor);
        }
      };
    }

    @Override
    public FieldVisitor visitField(
        int access, String name, String type, String signature, Object value) {
      members.put(name + ":" + type, access);
      return new FieldVisitor(ASM) {
        @Override
        public AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
          return annotated(name + ":" + type, descriptor);
        }
      };
    }
  }
}
