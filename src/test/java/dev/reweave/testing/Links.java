package dev.reweave.testing;

import dev.reweave.testing.ClassFiles.ClassFile;
import dev.reweave.testing.ClassFiles.Reference;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.xbean.asm9.Opcodes;

/** Looks whether what classes use of jars is in them, as a JVM would when it comes to it. */
public final class Links {
  /** Methods of which a JVM itself makes the bodies, whatever their descriptor. */
  private static final Set<String> SIGNATURE_POLYMORPHIC =
      Set.of("java/lang/invoke/MethodHandle", "java/lang/invoke/VarHandle");

  private static final String SUPER = "$$super$";

  private final ClassFiles files;

  private Links(ClassFiles files) {
    this.files = files;
  }

  /**
   * What is missing: classes, members, and bodies of methods that classes inherit without one.
   *
   * @param classes folder of those that are looked at
   * @param jars what they run with
   */
  public static Set<String> missing(Path classes, Collection<Path> jars) throws IOException {
    List<Path> places = new ArrayList<>(List.of(classes));
    places.addAll(jars);
    Links links = new Links(ClassFiles.in(places));
    Set<String> missing = new TreeSet<>();
    for (String name : links.files.inFolders()) {
      for (Reference use : links.files.uses(name)) {
        if (!links.isThere(use)) {
          missing.add(name.replace('/', '.') + " uses " + use);
        }
      }
      links.openMethods(name).forEach(m -> missing.add(name.replace('/', '.') + " lacks " + m));
    }
    return missing;
  }

  private boolean isThere(Reference use) {
    if (use.member().isEmpty()) {
      return files.find(use.name()).isPresent();
    }
    return SIGNATURE_POLYMORPHIC.contains(use.name()) || files.resolve(use).isPresent();
  }

  /** Abstract methods that a class inherits, and that it could be asked for. */
  private List<String> openMethods(String name) {
    ClassFile file = files.find(name).orElseThrow();
    if (file.isAbstract()) {
      return List.of();
    }
    Set<String> wanted = new TreeSet<>();
    Set<String> bodies = new HashSet<>();
    gather(name, wanted, bodies, new HashSet<>());
    wanted.removeAll(bodies);
    // A Scala trait's body of a method asks for the one above it; a class with its own never does.
    wanted.removeIf(
        method ->
            method.contains(SUPER)
                && file.members()
                    .containsKey(method.substring(method.indexOf(SUPER) + SUPER.length())));
    return List.copyOf(wanted);
  }

  private void gather(String name, Set<String> wanted, Set<String> bodies, Set<String> seen) {
    if (!seen.add(name)) {
      return;
    }
    ClassFile file = files.find(name).orElse(null);
    if (file == null) {
      // That it is missing is told where its name is looked at.
      return;
    }
    for (Map.Entry<String, Integer> member : file.members().entrySet()) {
      if (member.getKey().indexOf('(') > 0) {
        boolean open = (member.getValue() & Opcodes.ACC_ABSTRACT) != 0;
        (open ? wanted : bodies).add(member.getKey());
      }
    }
    file.supers().forEach(above -> gather(above, wanted, bodies, seen));
  }
}
