// Package deploy_test holds the compose file, the Dockerfile and the example settings to
// one another and to what dangan serve reads. It must not need Docker: it only reads.
package deploy_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// settings asks dangan serve itself for its settings, and names them as the
// environment does.
func settings(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "run", "../cmd/dangan", "serve", "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("dangan serve --help: %v\n%s", err, out)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^ *--([a-z0-9-]+) `).FindAllStringSubmatch(string(out), -1) {
		names = append(names, "DANGAN_"+strings.ToUpper(strings.ReplaceAll(m[1], "-", "_")))
	}
	slices.Sort(names)
	return names
}

// compose is the part of the Compose file format that our file uses. Decoding rejects
// every other key, so that nothing in the file escapes these tests by being unknown.
type compose struct {
	Name     string              `yaml:"name"`
	Hardened any                 `yaml:"x-hardened"`
	Services map[string]*service `yaml:"services"`
	Networks map[string]*struct {
		Internal bool `yaml:"internal"`
	} `yaml:"networks"`
	Volumes map[string]any `yaml:"volumes"`
	Secrets map[string]struct {
		File string `yaml:"file"`
	} `yaml:"secrets"`
}

type service struct {
	Image           string            `yaml:"image"`
	Build           *build            `yaml:"build"`
	Command         []string          `yaml:"command"`
	Environment     map[string]string `yaml:"environment"`
	Secrets         []string          `yaml:"secrets"`
	Ports           []string          `yaml:"ports"`
	Networks        []string          `yaml:"networks"`
	Volumes         []string          `yaml:"volumes"`
	Tmpfs           []string          `yaml:"tmpfs"`
	Restart         string            `yaml:"restart"`
	ReadOnly        bool              `yaml:"read_only"`
	CapDrop         []string          `yaml:"cap_drop"`
	SecurityOpt     []string          `yaml:"security_opt"`
	PidsLimit       int               `yaml:"pids_limit"`
	StopGracePeriod string            `yaml:"stop_grace_period"`
	Logging         any               `yaml:"logging"`
	Healthcheck     *healthcheck      `yaml:"healthcheck"`
	DependsOn       map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
}

type build struct {
	Context    string `yaml:"context"`
	Dockerfile string `yaml:"dockerfile"`
}

type healthcheck struct {
	Test        []string `yaml:"test"`
	Interval    string   `yaml:"interval"`
	Timeout     string   `yaml:"timeout"`
	StartPeriod string   `yaml:"start_period"`
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readCompose(t *testing.T) compose {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(read(t, "../docker-compose.yml"))))
	decoder.KnownFields(true)
	var c compose
	if err := decoder.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if c.Services["dangan"] == nil {
		t.Fatal("no service dangan")
	}
	return c
}

// instruction returns the arguments of every line of the Dockerfile that starts with
// name, continuation lines joined.
func instruction(t *testing.T, name string) []string {
	t.Helper()
	text := strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", " ")
	var found []string
	for line := range strings.Lines(text) {
		if arguments, ok := strings.CutPrefix(line, name+" "); ok {
			found = append(found, strings.Join(strings.Fields(arguments), " "))
		}
	}
	if found == nil {
		t.Fatalf("Dockerfile has no %s", name)
	}
	return found
}

func TestSettingsAreKnown(t *testing.T) {
	used := slices.Collect(maps.Keys(readCompose(t).Services["dangan"].Environment))
	for _, line := range instruction(t, "ENV") {
		for pair := range strings.FieldsSeq(line) {
			if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "DANGAN_") {
				used = append(used, name)
			}
		}
	}
	slices.Sort(used)
	if diff := cmp.Diff(settings(t), used); diff != "" {
		t.Errorf("settings of dangan serve (-) and of compose file and Dockerfile (+):\n%s", diff)
	}
}

var interpolation = regexp.MustCompile(`\$\{(\w+)([^}]*)\}`)

func TestVariablesHaveNoDefaultAndAreExplained(t *testing.T) {
	var used []string
	for _, match := range interpolation.FindAllStringSubmatch(read(t, "../docker-compose.yml"), -1) {
		name, rest := match[1], match[2]
		if message, ok := strings.CutPrefix(rest, ":?"); !ok || message == "" {
			t.Errorf("${%s} must stop Compose with a message when it is unset or empty", name)
		}
		if !slices.Contains(used, name) {
			used = append(used, name)
		}
	}
	var explained []string
	for line := range strings.Lines(read(t, "dangan.env.example")) {
		if name, _, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			explained = append(explained, name)
		}
	}
	slices.Sort(used)
	slices.Sort(explained)
	if diff := cmp.Diff(used, explained); diff != "" {
		t.Errorf("variables of the compose file (-) and of dangan.env.example (+):\n%s", diff)
	}
}

func TestSecretsAreFiles(t *testing.T) {
	c := readCompose(t)
	secretName := regexp.MustCompile(`(?i)(password|secret|token|key)$`)
	used := map[string]bool{}
	for name, service := range c.Services {
		for key, value := range service.Environment {
			if secretName.MatchString(key) && !strings.HasSuffix(key, "ACCESS_KEY") {
				t.Errorf("%s: %s: a secret must come from a file", name, key)
			}
			if !strings.HasSuffix(key, "_FILE") || value == "" {
				continue
			}
			secret, ok := strings.CutPrefix(value, "/run/secrets/")
			if !ok || !slices.Contains(service.Secrets, secret) {
				t.Errorf("%s: %s names %q, which is not among its secrets", name, key, value)
			}
		}
		for _, secret := range service.Secrets {
			used[secret] = true
			path := "/run/secrets/" + secret
			if !strings.Contains(strings.Join(service.Command, " "), path) &&
				!slices.Contains(slices.Collect(maps.Values(service.Environment)), path) {
				t.Errorf("%s sees the secret %s without need", name, secret)
			}
		}
	}
	for name, secret := range c.Secrets {
		if want := regexp.MustCompile(`^\$\{DANGAN_SECRETS_DIR:\?[^}]+\}/` + name + `$`); !want.MatchString(secret.File) {
			t.Errorf("secret %s: file %q", name, secret.File)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(c.Secrets)), slices.Sorted(maps.Keys(used))); diff != "" {
		t.Errorf("secrets declared (-) and used (+):\n%s", diff)
	}
}

func TestImagesArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^[a-z0-9/.-]+:(v?\d+\.\d+\.\d+(-\w+)?|RELEASE\.[0-9TZ-]+)$`)
	for name, service := range readCompose(t).Services {
		if service.Build == nil && !pinned.MatchString(service.Image) {
			t.Errorf("%s: image %q is not pinned", name, service.Image)
		}
	}
	for _, from := range instruction(t, "FROM") {
		image, _, _ := strings.Cut(from, " ")
		if image != "scratch" && !pinned.MatchString(image) {
			t.Errorf("Dockerfile: image %q is not pinned", image)
		}
	}
}

func TestPortsAgree(t *testing.T) {
	c := readCompose(t)
	port := instruction(t, "EXPOSE")[0]
	if env := strings.Join(instruction(t, "ENV"), " "); !strings.HasSuffix(env, "DANGAN_LISTEN=:"+port) {
		t.Errorf("Dockerfile listens elsewhere than it exposes: %s", env)
	}
	for name, service := range c.Services {
		switch {
		case name != "dangan" && service.Ports != nil:
			t.Errorf("%s publishes %v; only dangan may", name, service.Ports)
		case name == "dangan" && (len(service.Ports) != 1 || !strings.HasSuffix(service.Ports[0], "}:"+port)):
			t.Errorf("dangan publishes %v, want its port %s", service.Ports, port)
		}
	}
	environment := c.Services["dangan"].Environment
	for key, want := range map[string]string{
		"DANGAN_S3_ENDPOINT": "http://s3:9000",          // MinIO's own port
		"DANGAN_MEILI_URL":   "http://meilisearch:7700", // Meilisearch's own port
	} {
		if environment[key] != want {
			t.Errorf("%s is %q, want %q", key, environment[key], want)
		}
	}
}

func TestEveryServiceIsConfined(t *testing.T) {
	c := readCompose(t)
	for name, service := range c.Services {
		if !service.ReadOnly {
			t.Errorf("%s: root file system is writable", name)
		}
		if !slices.Equal(service.CapDrop, []string{"ALL"}) {
			t.Errorf("%s: cap_drop is %v", name, service.CapDrop)
		}
		if !slices.Equal(service.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("%s: security_opt is %v", name, service.SecurityOpt)
		}
		if len(service.Networks) == 0 {
			t.Errorf("%s: is on the default network", name)
		}
		for _, network := range service.Networks {
			if declared := c.Networks[network]; name != "dangan" && (declared == nil || !declared.Internal) {
				t.Errorf("%s: network %s leads out", name, network)
			}
		}
	}
	user := instruction(t, "USER")
	if last := user[len(user)-1]; !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(last) {
		t.Errorf("Dockerfile runs as %q, want a number that is not root's", last)
	}
}

func TestEveryServiceSaysWhetherItIsWell(t *testing.T) {
	c := readCompose(t)
	for name, service := range c.Services {
		if service.Build == nil && (service.Healthcheck == nil || service.Healthcheck.Test[0] != "CMD") {
			t.Errorf("%s: no health check without a shell", name)
		}
		for needed := range service.DependsOn {
			if c.Services[needed] == nil {
				t.Errorf("%s: depends on %s, which does not exist", name, needed)
			}
		}
	}
	if check := instruction(t, "HEALTHCHECK")[0]; !strings.HasSuffix(check, `CMD ["/dangan", "health"]`) {
		t.Errorf("Dockerfile: health check is %s", check)
	}
}

func TestVolumesAreDeclared(t *testing.T) {
	c := readCompose(t)
	var used []string
	for name, service := range c.Services {
		for _, volume := range service.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			used = append(used, source)
		}
		if name == "dangan" && service.Volumes != nil {
			t.Error("dangan keeps state of its own; the bucket is the only system of record")
		}
	}
	slices.Sort(used)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(c.Volumes)), used); diff != "" {
		t.Errorf("volumes declared (-) and used (+):\n%s", diff)
	}
}

func TestDockerfileIsTheOneComposeBuilds(t *testing.T) {
	got := readCompose(t).Services["dangan"].Build
	if diff := cmp.Diff(&build{Context: ".", Dockerfile: "deploy/Dockerfile"}, got); diff != "" {
		t.Error(diff)
	}
}
