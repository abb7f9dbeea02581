package main_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"dangan/internal/testenv"
)

// mayImport lists, for every part of the house, which parts it may import.
// Part names are import paths without "dangan/"; a part stands for the packages
// below it unless they have an entry of their own. docs/design.md tells why.
func mayImport() map[string][]string {
	words := []string{"archive", "archive/match", "archive/policy"}
	with := func(more ...string) []string { return append(slices.Clone(words), more...) }
	return map[string][]string{
		"archive":              {},
		"archive/match":        {"archive"},
		"archive/policy":       {"archive"},
		"archive/holdings":     words,
		"archive/desk":         words,
		"archive/certificates": words,
		"archive/evidence":     words,
		"archive/work":         words,
		"archive/lookup":       words,
		"archive/people":       words,
		"storage":              with("storage/vault"),
		"storage/vault":        {"archive"},
		"storage/embedded":     {},
		"storage/memstore":     with("storage"),
		"storage/storagetest":  with("storage", "storage/vault", "storage/memstore", "internal/testenv"),
		"index":                with("index/plan"),
		"index/plan":           words,
		"index/embedded":       with("index/plan"),
		"index/indextest":      with("index/plan", "internal/testenv"),
		"api":                  with("api/auth", "api/web", "api/internal"),
		"api/internal":         words,
		"api/auth":             words,
		"api/client":           {"archive"},
		"api/web":              with("api/auth", "api/internal"),
		"api/reader":           words,
		"api/ocr":              words,
		"api/stamp":            words,
		"internal/testenv":     {},
	}
}

// thirdParty lists the only users of the libraries that an adapter exists for.
func thirdParty() map[string][]string {
	return map[string][]string{
		"github.com/minio/minio-go":             {"storage", "cmd/dangan"},
		"filippo.io/age":                        {"storage/vault", "storage/storagetest"},
		"github.com/meilisearch/meilisearch-go": {"index"},
		"github.com/blevesearch/bleve":          {"index/embedded", "cmd/dangan"},
		"github.com/versity/versitygw":          {"storage/embedded"},
		"github.com/pdfcpu/pdfcpu":              {"api/reader", "cmd/dangan"},
		"github.com/klippa-app/go-pdfium":       {"api/reader"},
		"github.com/gin-gonic/gin":              {"api", "api/web", "api/internal"},
		"github.com/danielgtaylor/huma":         {"api"},
		"rsc.io/qr":                             {"api/stamp"},
		"github.com/emmansun/gmsm":              {"api/stamp", "cmd/dangan"},
		"github.com/miekg/pkcs11":               {"cmd/dangan-pkcs11"},
	}
}

func TestArrows(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = testenv.Root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	allowed := mayImport()
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		pkg := strings.TrimPrefix(words[0], "dangan/")
		for _, imp := range words[1:] {
			checkVendor(t, pkg, imp)
			target, ours := strings.CutPrefix(imp, "dangan/")
			if !ours || strings.HasPrefix(pkg, "cmd/") || pkg == "deploy" {
				continue
			}
			part := partOf(allowed, pkg)
			if part == "" {
				t.Errorf("%s has no place in the house", pkg)
				break
			}
			to := partOf(allowed, target)
			if to != part && !slices.Contains(allowed[part], to) {
				t.Errorf("%s must not import %s", pkg, target)
			}
		}
	}
}

func checkVendor(t *testing.T, pkg, imp string) {
	t.Helper()
	for library, users := range thirdParty() {
		if strings.HasPrefix(imp, library) && !slices.ContainsFunc(users, func(u string) bool { return pkg == u || strings.HasPrefix(pkg, u+"/") }) {
			t.Errorf("%s must not import %s", pkg, library)
		}
	}
}

// partOf is the longest entry that is pkg or lies above it.
func partOf(parts map[string][]string, pkg string) string {
	for p := pkg; p != ""; p = p[:max(strings.LastIndexByte(p, '/'), 0)] {
		if _, ok := parts[p]; ok {
			return p
		}
	}
	return ""
}

// TestArchiveDoesNoIO holds the words to the standard library, and away from
// everything that reaches outside.
func TestArchiveDoesNoIO(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, "./archive")
	cmd.Dir = testenv.Root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, imp := range strings.Fields(string(out)) {
		if strings.Contains(imp, ".") || slices.Contains([]string{"os", "net", "net/http", "database/sql", "log", "log/slog"}, imp) {
			t.Errorf("archive imports %s", imp)
		}
	}
}
