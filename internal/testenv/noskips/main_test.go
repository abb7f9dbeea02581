package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const start = `{"Action":"start","Package":"p"}` + "\n"
	const pass = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
`
	const packagePass = `{"Action":"pass","Package":"p","Elapsed":1.5}` + "\n"

	for name, c := range map[string]struct {
		in       string
		wantErr  string // "" if the suite passes
		wantOut  []string
		mustHide string
	}{
		"pass": {
			in:       start + pass + packagePass,
			wantOut:  []string{"ok    p  1.5s", "1 passed, 0 failed, 0 skipped"},
			mustHide: "chatter",
		},
		"package without tests": {
			in:      start + pass + packagePass + `{"Action":"skip","Package":"q"}` + "\n",
			wantOut: []string{"1 passed, 0 failed, 0 skipped"},
		},
		"skip": {
			in: start + pass + `{"Action":"output","Package":"p","Test":"TestB","Output":"no qpdf\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
` + packagePass,
			wantErr: "skipped",
			wantOut: []string{"SKIP  p TestB", "no qpdf", "1 passed, 0 failed, 1 skipped"},
		},
		"fail": {
			in: start + pass + `{"Action":"output","Package":"p","Test":"TestB","Output":"got 1\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p"}
`,
			wantErr: "not every test passed",
			wantOut: []string{"FAIL  p TestB", "got 1", "1 passed, 1 failed, 0 skipped"},
		},
		"does not build": {
			in: pass + packagePass + `{"ImportPath":"q","Action":"build-output","Output":"undefined: x\n"}
{"ImportPath":"q","Action":"build-fail"}
`,
			wantErr: "not every test passed",
			wantOut: []string{"FAIL  q", "undefined: x"},
		},
		"package fails outside its tests": {
			in: start + pass + `{"Action":"output","Package":"p","Output":"panic: boom\n"}
{"Action":"fail","Package":"p"}
`,
			wantErr: "not every test passed",
			wantOut: []string{"FAIL  p", "panic: boom"},
		},
		"cut short": {
			in:      start + pass + `{"Action":"run","Package":"p","Test":"TestB"}` + "\n",
			wantErr: "not every test passed",
			wantOut: []string{"NEVER ENDED  p TestB", "1 passed, 2 failed, 0 skipped"},
		},
		"go itself speaks": {
			in:      "go: updates to go.mod needed\n",
			wantErr: "no test ran",
			wantOut: []string{"go: updates to go.mod needed", "0 passed, 0 failed, 0 skipped"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			err := run(strings.NewReader(c.in), &out)
			if (err != nil) != (c.wantErr != "") || err != nil && !strings.Contains(err.Error(), c.wantErr) {
				t.Errorf("error %v, want %q", err, c.wantErr)
			}
			for _, want := range c.wantOut {
				if !strings.Contains(out.String(), want) {
					t.Errorf("output lacks %q:\n%s", want, out.String())
				}
			}
			if c.mustHide != "" && strings.Contains(out.String(), c.mustHide) {
				t.Errorf("output shows %q:\n%s", c.mustHide, out.String())
			}
		})
	}
}
