package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

func TestSecretsAreMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	names := []string{"root_key", "s3_secret_key", "meili_key"}
	hex := regexp.MustCompile(`^[0-9a-f]{64}$`)
	first := map[string]string{}
	for range 2 {
		if out, err := exec.Command("./secrets.sh", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, name := range names {
			secret := read(t, filepath.Join(dir, name))
			if !hex.MatchString(secret) {
				t.Errorf("%s is not 32 bytes in hexadecimal", name)
			}
			if kept, ok := first[name]; ok && kept != secret {
				t.Errorf("the second run replaced %s", name)
			}
			first[name] = secret
		}
	}
	if first["root_key"] == first["meili_key"] || first["meili_key"] == first["s3_secret_key"] {
		t.Error("two secrets are equal")
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o700 {
		t.Errorf("folder has mode %o", mode)
	}
}
