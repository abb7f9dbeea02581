// Command dangan is the one binary: the service, the demonstration, and the
// tools around them, one file per subcommand.
//
// It owns configuration and composition. It is the only package that knows every
// room and every adapter; it must hold no rule of the archive itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/peterbourgon/ff/v4"
	"github.com/peterbourgon/ff/v4/ffhelp"

	"dangan/storage/embedded"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		os.Exit(exitCode(err))
	}
}

// exit is an error that has been told to the user and only carries the status.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func exitCode(err error) int {
	var e exit
	if errors.As(err, &e) {
		return int(e)
	}
	return 1
}

// console is where a subcommand talks.
type console struct {
	env    []string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// run is the whole program: it parses, runs one subcommand, and says on stderr
// what went wrong.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) error {
	c := console{env: env, stdin: stdin, stdout: stdout, stderr: stderr}
	root := commands(c)
	err := root.Parse(flagsFirst(args))
	if err == nil {
		err = root.Run(ctx)
	}
	var told exit
	switch {
	case err == nil:
	case errors.Is(err, ff.ErrHelp), errors.Is(err, ff.ErrNoExec):
		fmt.Fprintf(stderr, "%s\n", ffhelp.Command(root))
		if errors.Is(err, ff.ErrHelp) {
			return nil
		}
		return exit(2)
	case errors.As(err, &told):
	default:
		fmt.Fprintf(stderr, "dangan: %v\n", err)
	}
	return err
}

// flagsFirst moves flags, which may stand anywhere on the command line, to where
// the parser wants them: between the subcommand and its arguments.
func flagsFirst(args []string) []string {
	if len(args) == 0 {
		return args
	}
	flags, words := []string{args[0]}, []string{}
	for rest := args[1:]; len(rest) > 0; rest = rest[1:] {
		switch word := rest[0]; {
		case word == "--":
			return slices.Concat(flags, words, rest)
		case !strings.HasPrefix(word, "-") || word == "-":
			words = append(words, word)
		case strings.Contains(word, "=") || isSwitch(word) || len(rest) == 1:
			flags = append(flags, word)
		default: // every other flag takes a value
			flags = append(flags, word, rest[1])
			rest = rest[1:]
		}
	}
	return append(flags, words...)
}

// isSwitch reports whether a flag takes no value.
func isSwitch(flag string) bool {
	switch flag {
	case "-h", "--help", "--json", "--dead", "--waiting", "--all-dead", "--repair", "--quick", "--no-index", "--seal-proof":
		return true
	}
	return false
}

func commands(c console) *ff.Command {
	root := &ff.Command{Name: "dangan", Usage: "dangan COMMAND [FLAGS]", ShortHelp: "an archive office: deposit, find, certify, verify"}
	root.Subcommands = []*ff.Command{
		serveCommand(c), demoCommand(c), setupCommand(c), verifyCommand(c), healthCommand(c), reindexCommand(c), benchCommand(c), newWorkCommand(c), ocrCommand(c), newKeysCommand(c), fsckCommand(c), newSealCommand(c), policyCommand(c), versionCommand(c),
		storeChildCommand(c), readerChildCommand(c),
	}
	return root
}

// storeChild is the name of the hidden subcommand that runs the embedded store.
const storeChild = "store-child"

func storeChildCommand(c console) *ff.Command {
	return &ff.Command{Name: storeChild, ShortHelp: "run the embedded store (started by dangan itself)", Exec: func(ctx context.Context, _ []string) error {
		return embedded.RunChild(ctx, c.stdin, c.stdout)
	}}
}

func versionCommand(c console) *ff.Command {
	return &ff.Command{Name: "version", ShortHelp: "print the version", Exec: func(context.Context, []string) error {
		_, err := fmt.Fprintln(c.stdout, version())
		return err
	}}
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v += " " + s.Value
		}
	}
	return v
}
