--TEST--
what the stub says of names and types is what PHP knows of the extension
--EXTENSIONS--
seqshare
tokenizer
--DESCRIPTION--
Shows: no promise: seqshare.stub.php and seqshare_arginfo.h agree.
--FILE--
<?php
// The stub is loaded by a PHP without the extension. Both then say what they have.
$say = <<<'SAY'
function type($type) { return (string)($type ?? 'none'); }
function say(ReflectionFunctionAbstract $function, $name) {
    foreach ($function->getParameters() as $p) {
        $default = $p->isOptional() && $p->isDefaultValueAvailable() && !$p->isDefaultValueConstant() ? var_export($p->getDefaultValue(), true) : ($p->isOptional() ? 'unknown' : '');
        $said[] = type($p->getType()) . " {$p->getName()} $default";
    }
    echo $name, ' (', implode(', ', $said ?? []), '): ', type($function->getReturnType()), "\n";
}
foreach (['seqshare_get', 'seqshare_version', 'seqshare_age'] as $name) say(new ReflectionFunction($name), $name);
foreach (['Exception', 'Share', 'Lock'] as $name) {
    $class = new ReflectionClass("Seqshare\\$name");
    echo "$name ", $class->isFinal() ? 'final' : '', ' ', ($class->getParentClass() ?: null)?->getName(), "\n";
    foreach ($class->getMethods() as $method)
        if ($method->getDeclaringClass()->getName() === $class->getName())
            say($method, implode(' ', Reflection::getModifierNames($method->getModifiers())) . " $name::" . $method->getName());
}
SAY;
$php = getenv('TEST_PHP_EXECUTABLE') ?: PHP_BINARY;
$folder = getenv('SEQSHARE_PHP_SOURCE') ?: dirname(__DIR__);
$stub = substr(file_get_contents("$folder/seqshare.stub.php"), strlen('<?php'));
file_put_contents(__DIR__ . '/names_and_types.stub.inc', "<?php namespace { $say }$stub");
file_put_contents(__DIR__ . '/names_and_types.own.inc', "<?php $say");
// Declarations of a file come before what it does.
$wanted = shell_exec("$php -n " . __DIR__ . '/names_and_types.stub.inc 2>&1');
$found = shell_exec("$php " . getenv('TEST_PHP_EXTRA_ARGS') . ' ' . __DIR__ . '/names_and_types.own.inc 2>&1');
echo $wanted === $found ? 'they agree' : "stub:\n$wanted\nextension:\n$found", "\n";
echo substr_count($found, "\n") > 25 ? 'all of them' : $found, "\n";
?>
--CLEAN--
<?php
array_map('unlink', glob(__DIR__ . '/names_and_types.*.inc'));
?>
--EXPECT--
they agree
all of them
