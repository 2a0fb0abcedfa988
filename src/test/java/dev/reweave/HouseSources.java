package dev.reweave;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** What is in {@code src/main/java}, as the JDK's compiler parses it. */
final class HouseSources {
  private static final Path FOLDER = Path.of("src/main/java");

  /**
   * A class, interface, record or enum.
   *
   * @param name its full name, with dots before nested ones
   * @param home where it is nested in, or itself
   */
  record Type(String name, ClassTree tree, CompilationUnitTree unit, Optional<Type> home) {
    String room() {
      return unit.getPackageName().toString();
    }

    String simpleName() {
      return tree.getSimpleName().toString();
    }

    List<MethodTree> methods() {
      return tree.getMembers().stream()
          .filter(MethodTree.class::isInstance)
          .map(MethodTree.class::cast)
          .toList();
    }

    /** What a field of this name is set to where it is declared. */
    Optional<ExpressionTree> field(String field) {
      return tree.getMembers().stream()
          .filter(VariableTree.class::isInstance)
          .map(VariableTree.class::cast)
          .filter(member -> member.getName().contentEquals(field))
          .findFirst()
          .flatMap(member -> Optional.ofNullable(member.getInitializer()));
    }
  }

  private final List<CompilationUnitTree> units;
  private final DocTrees docs;
  private final TreeMap<String, Type> types = new TreeMap<>();

  private HouseSources(List<CompilationUnitTree> units, DocTrees docs) {
    this.units = units;
    this.docs = docs;
    for (CompilationUnitTree unit : units) {
      for (Tree tree : unit.getTypeDecls()) {
        if (tree instanceof ClassTree type) {
          add(unit.getPackageName().toString(), type, unit, Optional.empty());
        }
      }
    }
  }

  private void add(String prefix, ClassTree tree, CompilationUnitTree unit, Optional<Type> home) {
    Type type = new Type(prefix + "." + tree.getSimpleName(), tree, unit, home);
    types.put(type.name(), type);
    for (Tree member : tree.getMembers()) {
      if (member instanceof ClassTree nested) {
        add(type.name(), nested, unit, Optional.of(type));
      }
    }
  }

  static HouseSources read() throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager files =
            compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8);
        Stream<Path> tree = Files.walk(FOLDER)) {
      List<Path> sources = tree.filter(f -> f.toString().endsWith(".java")).sorted().toList();
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null, files, null, List.of(), null, files.getJavaFileObjectsFromPaths(sources));
      List<CompilationUnitTree> units = new ArrayList<>();
      for (CompilationUnitTree unit : task.parse()) {
        if (unit.getPackageName() != null && !unit.getTypeDecls().isEmpty()) {
          units.add(unit);
        }
      }
      return new HouseSources(units, DocTrees.instance(task));
    }
  }

  List<CompilationUnitTree> units() {
    return units;
  }

  /** All of them, sorted by name. */
  List<Type> types() {
    return List.copyOf(types.values());
  }

  /** The class that a class means by a name, such as {@code Action.Unstack}. */
  Optional<Type> named(String name, Type from) {
    Type sameRoom = types.get(from.room() + "." + name);
    if (sameRoom != null) {
      return Optional.of(sameRoom);
    }
    List<Type> all =
        types.values().stream().filter(type -> type.name().endsWith("." + name)).toList();
    return all.size() == 1 ? Optional.of(all.get(0)) : Optional.empty();
  }

  /** The Javadoc of a class or of one of its members. */
  Optional<DocCommentTree> javadoc(Type type, Tree member) {
    return Optional.ofNullable(
        docs.getDocCommentTree(
            new TreePath(new TreePath(new TreePath(type.unit()), type.tree()), member)));
  }

  Optional<DocCommentTree> javadoc(Type type) {
    return Optional.ofNullable(
        docs.getDocCommentTree(new TreePath(new TreePath(type.unit()), type.tree())));
  }
}
