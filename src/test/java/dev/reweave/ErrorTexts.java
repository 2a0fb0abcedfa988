package dev.reweave;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.CaseTree;
import com.sun.source.tree.ConditionalExpressionTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.ReturnTree;
import com.sun.source.tree.StatementTree;
import com.sun.source.tree.SwitchExpressionTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.TreeScanner;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What texts an expression can give, with an ellipsis for what shows only when it runs. */
final class ErrorTexts {
  static final String COMPUTED = "…";

  private static final int MOST_CALLS = 8;

  /**
   * What names stand for at a place.
   *
   * @param names parameters and variables, each with what it was given
   * @param calls methods that led here
   */
  record Scope(HouseSources.Type type, Map<String, Given> names, int calls) {
    static Scope of(HouseSources.Type type) {
      return new Scope(type, Map.of(), 0);
    }

    /** The scope of a method that is called from here. */
    Scope within(MethodTree method, List<? extends ExpressionTree> arguments) {
      Map<String, Given> given = new HashMap<>();
      for (int i = 0; i < arguments.size(); i++) {
        given.put(
            method.getParameters().get(i).getName().toString(), new Given(arguments.get(i), this));
      }
      return new Scope(type, given, calls + 1).withVariables(method);
    }

    /** With the variables of a method. */
    Scope withVariables(MethodTree method) {
      Map<String, Given> all = new HashMap<>(names);
      Scope scope = new Scope(type, all, calls);
      new TreeScanner<Void, Void>() {
        @Override
        public Void visitVariable(VariableTree variable, Void nothing) {
          if (variable.getInitializer() != null) {
            all.put(variable.getName().toString(), new Given(variable.getInitializer(), scope));
          }
          return super.visitVariable(variable, null);
        }
      }.scan(method.getBody(), null);
      return scope;
    }

    /** The method of the same class that is called, if there is just one that it can be. */
    Optional<MethodTree> called(MethodInvocationTree call) {
      if (calls >= MOST_CALLS || !(call.getMethodSelect() instanceof IdentifierTree name)) {
        return Optional.empty();
      }
      List<MethodTree> found =
          type.methods().stream()
              .filter(m -> m.getName().equals(name.getName()))
              .filter(m -> m.getParameters().size() == call.getArguments().size())
              .toList();
      return found.size() == 1 ? Optional.of(found.get(0)) : Optional.empty();
    }
  }

  /** An expression, and what names stand for in it. */
  record Given(ExpressionTree expression, Scope scope) {}

  private final HouseSources sources;

  ErrorTexts(HouseSources sources) {
    this.sources = sources;
  }

  /** The texts, each once: more than one where the expression chooses between some. */
  List<String> of(ExpressionTree expression, Scope scope) {
    if (expression instanceof ParenthesizedTree inner) {
      return of(inner.getExpression(), scope);
    }
    if (expression instanceof LiteralTree literal) {
      return List.of(String.valueOf(literal.getValue()));
    }
    if (expression instanceof BinaryTree sum && sum.getKind() == Tree.Kind.PLUS) {
      return sum(sum, scope);
    }
    if (expression instanceof ConditionalExpressionTree choice) {
      return together(
          of(choice.getTrueExpression(), scope), of(choice.getFalseExpression(), scope));
    }
    if (expression instanceof SwitchExpressionTree choice) {
      List<String> texts = List.of();
      for (CaseTree branch : choice.getCases()) {
        texts =
            together(
                texts,
                branch.getBody() instanceof ExpressionTree text
                    ? of(text, scope)
                    : List.of(COMPUTED));
      }
      return texts;
    }
    if (expression instanceof IdentifierTree name) {
      return named(name.getName().toString(), scope);
    }
    if (expression instanceof MemberSelectTree select) {
      String field = select.getIdentifier().toString();
      return sources
          .named(select.getExpression().toString(), scope.type())
          .flatMap(type -> type.field(field).map(value -> of(value, Scope.of(type))))
          .orElse(List.of(COMPUTED));
    }
    return expression instanceof MethodInvocationTree call
        ? called(call, scope)
        : List.of(COMPUTED);
  }

  /** The texts of all sums and literals of the house. */
  List<String> all() {
    List<String> texts = new ArrayList<>();
    for (HouseSources.Type type : sources.types()) {
      new TreeScanner<Void, Void>() {
        @Override
        public Void visitBinary(BinaryTree sum, Void nothing) {
          texts.addAll(of(sum, Scope.of(type)));
          return super.visitBinary(sum, null);
        }

        @Override
        public Void visitLiteral(LiteralTree literal, Void nothing) {
          texts.addAll(of(literal, Scope.of(type)));
          return null;
        }
      }.scan(type.tree(), null);
    }
    return texts;
  }

  private List<String> sum(BinaryTree sum, Scope scope) {
    Set<String> texts = new LinkedHashSet<>();
    for (String left : operand(sum.getLeftOperand(), scope)) {
      for (String right : operand(sum.getRightOperand(), scope)) {
        texts.add((left + right).replaceAll(COMPUTED + "{2,}", COMPUTED));
      }
    }
    return List.copyOf(texts);
  }

  /** A part of a text: what it chooses is left out, but for what a caller gave. */
  private List<String> operand(ExpressionTree part, Scope scope) {
    List<String> texts = of(part, scope);
    return texts.size() == 1 || part instanceof IdentifierTree || part instanceof BinaryTree
        ? texts
        : List.of(COMPUTED);
  }

  private List<String> named(String name, Scope scope) {
    Given given = scope.names().get(name);
    if (given != null) {
      return of(given.expression(), given.scope());
    }
    Optional<HouseSources.Type> type = Optional.of(scope.type());
    while (type.isPresent()) {
      Optional<ExpressionTree> value = type.get().field(name);
      if (value.isPresent()) {
        return of(value.get(), Scope.of(type.get()));
      }
      type = type.get().home();
    }
    return List.of(COMPUTED);
  }

  private List<String> called(MethodInvocationTree call, Scope scope) {
    String method = call.getMethodSelect().toString();
    if (method.equals("String.format")) {
      return of(call.getArguments().get(0), scope).stream().map(ErrorTexts::unfilled).toList();
    }
    if (call.getMethodSelect() instanceof MemberSelectTree select
        && select.getIdentifier().contentEquals("formatted")) {
      return of(select.getExpression(), scope).stream().map(ErrorTexts::unfilled).toList();
    }
    Optional<MethodTree> called = scope.called(call);
    if (called.isEmpty() || called.get().getBody() == null) {
      return List.of(COMPUTED);
    }
    List<? extends StatementTree> statements = called.get().getBody().getStatements();
    boolean plain =
        statements.stream().allMatch(s -> s instanceof VariableTree || s instanceof ReturnTree);
    return plain && statements.get(statements.size() - 1) instanceof ReturnTree result
        ? of(result.getExpression(), scope.within(called.get(), call.getArguments()))
        : List.of(COMPUTED);
  }

  private static String unfilled(String format) {
    return format.replaceAll("%[0-9]*[a-z]", COMPUTED);
  }

  private static List<String> together(List<String> some, List<String> others) {
    List<String> all = new ArrayList<>(some);
    all.addAll(others);
    return all.stream().distinct().toList();
  }
}
