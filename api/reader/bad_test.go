package reader_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/api/reader"
	"dangan/archive"
)

// badFile is a file with the code of the finding that rejects it; none for one
// that only looks bad.
type badFile struct {
	file []byte
	want string
}

// badPDFs are all that is known to have broken some reader, made here.
func badPDFs(t *testing.T) map[string]badFile {
	t.Helper()
	scan := scanPDF(jpegFile(t, 400, 566), 400, 566)
	action := func(action string) []byte {
		return pdf("<</Type/Catalog/Pages 2 0 R/OpenAction "+action+">>", pages, page, stream("", ""), latin)
	}
	sized := func(box string) []byte {
		return pdf(catalog, pages, "<</Type/Page/Parent 2 0 R/MediaBox["+box+"]>>")
	}
	return map[string]badFile{
		"header only":                {[]byte("%PDF-1.7\n"), reader.CodeDamaged},
		"truncated pdf":              {scan[:len(scan)/2], reader.CodeDamaged},
		"no pages":                   {pdf(catalog, "<</Type/Pages/Kids[]/Count 0>>"), reader.CodeDamaged},
		"page loop":                  {pdf(catalog, "<</Type/Pages/Kids[2 0 R]/Count 1>>"), reader.CodeDamaged},
		"object stream in itself":    {selfReference(), reader.CodeDamaged},
		"user password":              {encrypted(t, "user", "owner"), reader.CodeEncrypted},
		"owner password":             {encrypted(t, "", "owner"), reader.CodeEncrypted},
		"flate bomb":                 {flateBomb(t), reader.CodeTooMuchMemory},
		"triple flate bomb":          {tripleBomb(t), reader.CodeTooMuchMemory},
		"cross-reference bomb":       {xrefBomb(t), reader.CodeBomb},
		"huge picture in pdf":        {scanPDF(jpegFile(t, 300, 200), 60000, 60000), reader.CodeBomb},
		"21 pages":                   {manyPages(21), reader.CodeTooManyPages},
		"a claim of 2 billion pages": {pdf(catalog, "<</Type/Pages/Kids[3 0 R]/Count 2000000000>>", page, stream("", ""), latin), reader.CodeDamaged},
		"page without size":          {sized("0 0 0 0"), reader.CodePageSize},
		"page of infinite size":      {sized("0 0 1e308 1e308"), reader.CodePageSize},
		"page of a stamp":            {sized("0 0 40 600"), reader.CodePageSize},
		"page of a wall":             {sized("0 0 600 6000"), reader.CodePageSize},
		"script":                     {action("<</S/JavaScript/JS(app.alert\\(1\\))>>"), reader.CodeActiveContent},
		"launch":                     {action("<</S/Launch/F(a.exe)>>"), reader.CodeActiveContent},
		"script nobody refers to":    {pdf(catalog, pages, page, stream("", ""), latin, "<</S/JavaScript/JS(1)>>"), reader.CodeActiveContent},
		"embedded file": {pdf("<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a.exe)6 0 R]>>>>>>", pages, page, stream("", ""), latin,
			"<</Type/Filespec/F(a.exe)/EF<</F 7 0 R>>>>", stream("/Type/EmbeddedFile", "MZ")), reader.CodeAttachments},
		"portfolio":                {pdf("<</Type/Catalog/Pages 2 0 R/Collection<</View/D>>>>", pages, page, stream("", ""), latin), reader.CodePortfolio},
		"xfa":                      {pdf("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[]/XFA 6 0 R>>>>", pages, page, stream("", ""), latin, stream("", "<xdp/>")), reader.CodeXFA},
		"loop of names":            {pdf("<</Type/Catalog/Pages 2 0 R/Names<</Dests 6 0 R>>>>", pages, page, stream("", ""), latin, "<</Kids[6 0 R]/Limits[(a)(b)]>>"), ""},
		"loop of outlines":         {pdf("<</Type/Catalog/Pages 2 0 R/Outlines 6 0 R>>", pages, page, stream("", ""), latin, "<</First 7 0 R/Last 7 0 R/Count 1>>", "<</Title(a)/Parent 6 0 R/Next 7 0 R/Prev 7 0 R/First 7 0 R/Last 7 0 R>>"), ""},
		"loop of forms":            {formLoop(), reader.CodeTooMuchMemory},
		"33 million pages":         {pageDAG(25), reader.CodeDamaged},
		"arrays in arrays":         {pdf(catalog, pages, page, stream("", ""), latin, strings.Repeat("[", 200_000)+strings.Repeat("]", 200_000)), ""},
		"cross-reference of 2^31":  {xrefStream("/Size 2147483648/Index[0 2147483648]/W[1 2 1]", "", catalog, pages, page), reader.CodeBomb},
		"loop of cross-references": {bytes.Replace(textPDF("x"), []byte("trailer\n<<"), []byte("trailer\n<</Prev 9 "), 1), ""},
		"kids that are no pages":   {pdf(catalog, "<</Type/Pages/Kids[4 0 R 99 0 R 3]/Count 3>>", page, stream("", ""), latin), reader.CodeDamaged},
	}
}

// badPictures are the same of pictures, and of what is neither.
func badPictures(t *testing.T) map[string]badFile {
	t.Helper()
	photo := jpegFile(t, 300, 200)
	return map[string]badFile{
		"empty":                   {nil, reader.CodeDamaged},
		"truncated jpeg":          {photo[:len(photo)/2], reader.CodeDamaged},
		"truncated png":           {pngFile(t, 300, 200)[:500], reader.CodeDamaged},
		"huge png":                {hugePNG(t), reader.CodeBomb},
		"tiff without end":        {[]byte("II*\x00\x08\x00\x00\x00"), reader.CodeDamaged},
		"tiff in a loop":          {[]byte("II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00"), reader.CodeDamaged},
		"tiff of nothing":         {[]byte("II*\x00\x00\x00\x00\x00"), reader.CodeDamaged},
		"huge tiff":               {tiffFile(map[uint16]uint32{256: 60000, 257: 60000, 258: 1, 259: 4, 262: 0, 277: 1}), reader.CodeBomb},
		"21 faxes":                {tiffFile(slices.Repeat([]map[uint16]uint32{faxPage(1)}, 21)...), reader.CodeTooManyPages},
		"tiff without its pixels": {tiffs(t)["one strip"][8:], reader.CodeUnsupportedType},
		"tiff cut short":          {newTIFF().page(with(colours(40, 20, 1), map[uint16][]uint32{273: {1 << 30}, 279: {2400}})).out, reader.CodeDamaged},
		"flate bomb in tiff":      {newTIFF().page(colours(40, 20, 8), []byte(zeros(t, 1024))).out, ""},
		"flate bomb in png":       {pngOf(t, 10, 10, zeros(t, 1024)), reader.CodeDamaged},
		"flate bomb beside a png": {withChunk(pngFile(t, 10, 10), "zTXt", "bomb\x00\x00"+zeros(t, 1024)), ""},
		"huge jpeg":               {ofSide(photo, 65000), reader.CodeBomb},
		"huge progressive jpeg":   {progressive(ofSide(photo, 9999)), reader.CodeTooMuchMemory},
		"zip":                     {zipFile(t, "a.txt"), reader.CodeUnsupportedType},
		"pdf and zip":             {append(textPDF("x"), zipFile(t, "a.txt")...), reader.CodePolyglot},
		"jpeg and zip":            {append(jpegFile(t, 30, 20), zipFile(t, "a.txt")...), reader.CodePolyglot},
		"jpeg and pdf":            {slices.Insert(jpegFile(t, 30, 20), 2, []byte("\xFF\xFE\x00\x0B%PDF-1.7 ")...), reader.CodePolyglot},
		"tiff and pdf":            {newTIFF().page(colours(40, 20, 1), []byte("%PDF-1.7")).out, reader.CodePolyglot},
		"tiff and zip":            {append(tiffs(t)["tiles"], zipFile(t, "a.txt")...), reader.CodePolyglot},
		"png and page":            {append(pngFile(t, 1, 1), "<script>"...), reader.CodePolyglot},
		"torn zip":                {[]byte("PK\x03\x04 OFD.xml"), reader.CodeDamaged},
		"text":                    {[]byte("hello"), reader.CodeUnsupportedType},
		"pdf behind bytes":        {append([]byte("MZ"), textPDF("hidden")...), reader.CodeUnsupportedType},
	}
}

// formLoop draws a form that draws itself.
func formLoop() []byte {
	return pdf(catalog, pages, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>",
		stream("", "/X Do"), stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>", "/X Do /X Do"))
}

// pageDAG is a page tree of the given depth whose every node has one child,
// twice.
func pageDAG(depth int) []byte {
	objects := []string{catalog}
	for i := range depth {
		objects = append(objects, fmt.Sprintf("<</Type/Pages/Kids[%d 0 R %d 0 R]/Count %d>>", i+3, i+3, 1<<(depth-i)))
	}
	return pdf(append(objects, "<</Type/Page/MediaBox[0 0 595 842]>>")...)
}

// TestBadFiles has them read with the limits of the service: a child that took
// more than a gigabyte or 20 seconds of a processor would be dead.
func TestBadFiles(t *testing.T) {
	p := newPool(t, reader.PoolConfig{Config: reader.Config{MaxPages: 20}})
	files := badPDFs(t)
	maps.Copy(files, badPictures(t))
	for name, bad := range files {
		t.Run(name, func(t *testing.T) {
			var want []archive.Finding
			if bad.want != "" {
				want = []archive.Finding{{Code: bad.want, Rejects: true}}
			}
			if diff := cmp.Diff(want, read(t, p, bad.file).Findings); diff != "" {
				t.Error(diff)
			}
		})
	}
}
