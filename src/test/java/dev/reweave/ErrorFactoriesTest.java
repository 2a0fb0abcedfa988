package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.MemberReferenceTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.util.TreeScanner;
import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Errors come from factories, each of which says one thing. */
class ErrorFactoriesTest {
  private static final String MADE = ReweaveException.class.getSimpleName();

  private static final Set<String> FACTORIES =
      Stream.of(ReweaveException.class.getDeclaredMethods())
          .filter(method -> Modifier.isStatic(method.getModifiers()))
          .map(Method::getName)
          .collect(Collectors.toUnmodifiableSet());

  /** Finds where errors are made, but for those that are another with more of a place. */
  private static final class Makers extends TreeScanner<Void, Void> {
    private final Set<String> files = new TreeSet<>();
    private String file = "";

    @Override
    public Void visitClass(ClassTree tree, Void nothing) {
      String name = tree.getSimpleName().toString();
      return ErrorFactories.makesErrors(name) || name.equals(MADE)
          ? null
          : super.visitClass(tree, null);
    }

    @Override
    public Void visitNewClass(NewClassTree tree, Void nothing) {
      if (isMade(tree.getIdentifier()) && !isKindOfAnother(tree.getArguments().get(0))) {
        files.add(file);
      }
      return super.visitNewClass(tree, null);
    }

    private static boolean isKindOfAnother(ExpressionTree argument) {
      return argument instanceof MethodInvocationTree call
          && call.getMethodSelect() instanceof MemberSelectTree select
          && select.getIdentifier().contentEquals("kind");
    }

    @Override
    public Void visitMethodInvocation(MethodInvocationTree tree, Void nothing) {
      if (tree.getMethodSelect() instanceof MemberSelectTree select
          && isMade(select.getExpression())
          && FACTORIES.contains(select.getIdentifier().toString())) {
        files.add(file);
      }
      return super.visitMethodInvocation(tree, null);
    }

    @Override
    public Void visitMemberReference(MemberReferenceTree tree, Void nothing) {
      String name = tree.getName().toString();
      if (isMade(tree.getQualifierExpression())
          && (FACTORIES.contains(name) || name.equals("<init>"))) {
        files.add(file);
      }
      return super.visitMemberReference(tree, null);
    }

    private static boolean isMade(ExpressionTree type) {
      return type instanceof IdentifierTree name && name.getName().contentEquals(MADE);
    }
  }

  @Test
  void nothingElseMakesErrors() throws IOException {
    Makers makers = new Makers();
    HouseSources.read()
        .units()
        .forEach(
            unit -> {
              makers.file = unit.getSourceFile().getName();
              makers.scan(unit, null);
            });

    assertEquals(Set.of(), makers.files);
  }

  @Test
  void factoriesAreMany() throws IOException {
    List<ErrorFactories.Entry> entries = new ErrorFactories(HouseSources.read()).entries();

    assertTrue(entries.size() > 250, "only " + entries.size());
  }
}
