package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/peterbourgon/ff/v4"

	"dangan/archive"
	"dangan/storage"
	"dangan/storage/vault"
)

// keysCommand is what an operator does with the key ring of a bucket.
type keysCommand struct {
	settings
	c         console
	flags     *ff.FlagSet
	json      bool
	newRoot   string // file
	recipient string // of an escrow
	out       string // file to write the escrow to
	escrow    string // file
	identity  string // file
}

func newKeysCommand(c console) *ff.Command {
	k := &keysCommand{c: c}
	k.flags = k.settings.flags("keys")
	k.flags.BoolVar(&k.json, 0, "json", "print JSON (status)")
	k.flags.StringVar(&k.newRoot, 0, "new-root-key-file", "", "file with the root key to change to; made when it is missing (reroot, recover)")
	k.flags.StringVar(&k.recipient, 0, "recipient", "", "age recipient to seal the key ring to, age1… (init, escrow)")
	k.flags.StringVar(&k.out, 0, "out", "", "file to write the sealed key ring to; must not exist (init, escrow)")
	k.flags.StringVar(&k.escrow, 0, "escrow", "", "file with the sealed key ring (recover)")
	k.flags.StringVar(&k.identity, 0, "identity", "", "file with the age identity that opens it (recover)")
	return &ff.Command{
		Name: "keys", Usage: "dangan keys init|status|rotate|rewrite|reroot|escrow|recover [FLAGS]", Flags: k.flags,
		ShortHelp: "make, look at, rotate and rescue the keys of the configured bucket",
		Exec:      k.run,
	}
}

func (k *keysCommand) run(ctx context.Context, args []string) error {
	actions := map[string]func(context.Context) error{
		"init": k.init, "recover": k.recover,
		"status": k.opened(k.status), "rotate": k.opened(k.rotate), "rewrite": k.opened(k.rewrite),
		"reroot": k.opened(k.reroot), "escrow": k.opened(k.seal),
	}
	if len(args) != 1 || actions[args[0]] == nil {
		return errors.New("keys: say init, status, rotate, rewrite, reroot, escrow or recover")
	}
	if err := fromEnv(k.c.env, k.flags); err != nil {
		return err
	}
	if err := k.checkStore(); err != nil {
		return err
	}
	return actions[args[0]](ctx)
}

// opened is act on the keys of the bucket, which must exist.
func (k *keysCommand) opened(act func(context.Context, *storage.Keys) error) func(context.Context) error {
	return func(ctx context.Context) error {
		objects, cfg, founded, err := k.dial(ctx)
		if err != nil {
			return err
		}
		if !founded {
			return fmt.Errorf("bucket %s has no key ring yet: dangan keys init makes one", k.s3Bucket)
		}
		if cfg.RootKey, err = readRootKey(k.rootKey); err != nil {
			return err
		}
		b, err := storage.New(ctx, objects, cfg)
		if err != nil {
			return k.whichKey(err)
		}
		return act(ctx, b.Keys())
	}
}

// dial reaches the store without a root key, and tells whether there is a bucket.
func (k *keysCommand) dial(ctx context.Context) (objects *storage.S3, cfg storage.Config, founded bool, err error) {
	if cfg, err = k.storeConfig(slog.New(slog.DiscardHandler)); err != nil {
		return nil, cfg, false, err
	}
	if objects, err = storage.Dial(ctx, cfg); err != nil {
		return nil, cfg, false, err
	}
	founded, err = storage.Founded(ctx, objects)
	return objects, cfg, founded, err
}

// init makes the key ring of a new bucket, and the root key when its file is missing.
func (k *keysCommand) init(ctx context.Context) error {
	if (k.recipient == "") != (k.out == "") {
		return errors.New("--recipient and --out belong together")
	}
	objects, cfg, founded, err := k.dial(ctx)
	if err != nil {
		return err
	}
	if founded {
		return fmt.Errorf("bucket %s has a key ring already; nothing was changed", k.s3Bucket)
	}
	if cfg.RootKey, err = keepKey("root-key-file", k.rootKey); err != nil {
		return err
	}
	b, err := storage.New(ctx, objects, cfg)
	if err != nil {
		return k.whichKey(err)
	}
	k.say("Bucket %s has a key ring under the root key in %s. Keep that file twice, and never with the backups of the bucket.", k.s3Bucket, k.rootKey)
	if k.recipient == "" {
		return nil
	}
	return k.seal(ctx, b.Keys())
}

// rotate adds a version.
func (k *keysCommand) rotate(ctx context.Context, keys *storage.Keys) error {
	v, err := keys.Rotate(ctx)
	if err != nil {
		return err
	}
	k.say("Version %d is in the key ring. It is written with from %s; a minute later or so, dangan serve moves data keys and marks to it.\n"+
		"An escrow that was made before lacks it: make another with dangan keys escrow.", v.N, v.From.Local().Format(time.DateTime))
	return nil
}

// rewrite moves what can be moved to the current version, as dangan serve does, but
// not at its pace. It waits until that may begin.
func (k *keysCommand) rewrite(ctx context.Context, keys *storage.Keys) error {
	for {
		moved, err := keys.Rewrite(ctx, replicaName("keys"), 0)
		if errors.Is(err, archive.ErrEarly) {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
			}
			continue
		}
		if err == nil || moved != (storage.Moved{}) {
			k.say("Moved %d data keys and %d marks.", moved.Keys, moved.Marks)
		}
		if err == nil && moved.Damaged > 0 {
			err = fmt.Errorf("%d data keys could not be opened and were left as they are: run dangan fsck", moved.Damaged)
		}
		return err
	}
}

// reroot seals the ring under another root key.
func (k *keysCommand) reroot(ctx context.Context, keys *storage.Keys) error {
	if err := required("new-root-key-file", k.newRoot); err != nil {
		return err
	}
	root, err := keepKey("new-root-key-file", k.newRoot)
	if err != nil {
		return err
	}
	if err := keys.Reroot(ctx, root); err != nil {
		return err
	}
	k.say("The key ring is sealed under the root key in %s; the one in %s opens nothing any more. Start dangan serve with the new one.", k.newRoot, k.rootKey)
	return nil
}

// seal writes the ring, sealed to a recipient, to a new file.
func (k *keysCommand) seal(ctx context.Context, keys *storage.Keys) error {
	if err := errors.Join(required("recipient", k.recipient), required("out", k.out)); err != nil {
		return err
	}
	err := keys.Escrow(ctx, k.recipient, func(sealed []byte) error {
		if _, err := os.Lstat(k.out); !errors.Is(err, os.ErrNotExist) {
			return errors.Join(fmt.Errorf("--out: %s exists", k.out), err)
		}
		return writeDurable(k.out, sealed, 0o600)
	})
	if err != nil {
		return err
	}
	k.say("The key ring is in %s, sealed to %s. Who has the identity and the bucket reads everything.", k.out, k.recipient)
	return nil
}

// recover gives the bucket a new root key with the ring of an escrow.
func (k *keysCommand) recover(ctx context.Context) error {
	err := errors.Join(required("escrow", k.escrow), required("identity", k.identity), required("new-root-key-file", k.newRoot))
	if err != nil {
		return err
	}
	sealed, err := os.ReadFile(k.escrow)
	if err != nil {
		return fmt.Errorf("--escrow: %w", err)
	}
	identity, err := readSecret("identity", k.identity)
	if err != nil {
		return err
	}
	ring, err := vault.OpenEscrow(sealed, identity)
	if err != nil {
		return fmt.Errorf("--escrow %s --identity %s: %w", k.escrow, k.identity, err)
	}
	objects, cfg, _, err := k.dial(ctx)
	if err != nil {
		return err
	}
	if cfg.RootKey, err = keepKey("new-root-key-file", k.newRoot); err != nil {
		return err
	}
	opened, err := storage.Recover(ctx, objects, ring, cfg)
	if err != nil {
		return err
	}
	k.say("The escrowed key ring opens all %d objects that it should, and is sealed under the root key in %s. Start dangan serve with that.", opened, k.newRoot)
	return nil
}

func (k *keysCommand) say(format string, args ...any) {
	fmt.Fprintf(k.c.stdout, format+"\n", args...)
}

// versionLine is a version of the ring as it is shown.
type versionLine struct {
	Version int       `json:"version"`
	Created time.Time `json:"created"`
	From    time.Time `json:"from"` // it is written with
	Left    bool      `json:"left"` // marks are not looked for under it
	Keys    int       `json:"data_keys"`
	Marks   int       `json:"marks"`
	Sealed  int       `json:"sealed"` // claims, jobs, leases, sequences and access entries
}

// status tells what is under which version.
func (k *keysCommand) status(ctx context.Context, keys *storage.Keys) error {
	s, err := keys.Status(ctx)
	if err != nil {
		return err
	}
	var lines []versionLine
	for _, v := range s.Versions {
		lines = append(lines, versionLine{v.N, v.Created, v.From, v.Left, v.DataKeys, v.Marks, v.Sealed})
	}
	if k.json {
		return json.NewEncoder(k.c.stdout).Encode(map[string]any{"root": s.Root, "versions": lines, "escrow": s.Escrow, "damaged": s.Damaged})
	}
	k.say("root key %s", s.Root)
	if err := printVersions(k.c.stdout, lines); err != nil {
		return err
	}
	switch {
	case s.Escrow == nil:
		k.say("No escrow was made.")
	case s.Escrow.Version < len(lines):
		k.say("The escrow of %s, to %s, has only the versions up to %d: make another.", s.Escrow.At.Local().Format(time.DateTime), s.Escrow.To, s.Escrow.Version)
	default:
		k.say("An escrow of all versions was made at %s, to %s.", s.Escrow.At.Local().Format(time.DateTime), s.Escrow.To)
	}
	if s.Damaged > 0 {
		return fmt.Errorf("%d objects do not tell a version of the ring: run dangan fsck", s.Damaged)
	}
	return nil
}

func printVersions(w io.Writer, lines []versionLine) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "VERSION\tCREATED\tWRITTEN WITH FROM\tDATA KEYS\tMARKS\tSEALED")
	for _, l := range lines {
		fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%d\t%d\n", l.Version, l.Created.Local().Format(time.DateTime), l.From.Local().Format(time.DateTime), l.Keys, l.Marks, l.Sealed)
	}
	return t.Flush()
}
