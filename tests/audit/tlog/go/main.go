// Command go reads a log of ours with Go's own golang.org/x/mod/sumdb, and makes one for ours to
// read.
//
//	go check FOLDER          what is served, and proofs.json beside it: exit 1 and one line if wrong
//	go make FOLDER SIZE...   a log of so many entries at each size, with its notes and proofs
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8
const width = 1 << height

// sumdb's name for a tree: tlog reads no other first line.
const sumdb = "go.sum database tree\n"

type inclusion struct {
	Index int64            `json:"index"`
	Leaf  tlog.Hash        `json:"leaf"`
	Proof tlog.RecordProof `json:"proof"`
}

type consistency struct {
	Size  int64          `json:"size"`
	Root  tlog.Hash      `json:"root"`
	Proof tlog.TreeProof `json:"proof"`
}

type proofs struct {
	Inclusion   []inclusion   `json:"inclusion"`
	Consistency []consistency `json:"consistency"`
}

func main() {
	err := errors.New("check FOLDER, or make FOLDER SIZE...")
	if len(os.Args) == 3 && os.Args[1] == "check" {
		err = check(os.Args[2])
	} else if len(os.Args) > 3 && os.Args[1] == "make" {
		err = makeLogs(os.Args[2], os.Args[3:])
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// Reading

func check(folder string) error {
	tree, err := openCheckpoint(folder)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(folder, "proofs.json"))
	if err != nil {
		return err
	}
	var given proofs
	if err := json.Unmarshal(raw, &given); err != nil {
		return fmt.Errorf("proofs: %w", err)
	}
	for _, one := range given.Inclusion {
		if err := tlog.CheckRecord(one.Proof, tree.N, tree.Hash, one.Index, one.Leaf); err != nil {
			return fmt.Errorf("inclusion %d: %w", one.Index, err)
		}
	}
	for _, one := range given.Consistency {
		if err := tlog.CheckTree(one.Proof, tree.N, tree.Hash, one.Size, one.Root); err != nil {
			return fmt.Errorf("consistency %d: %w", one.Size, err)
		}
	}
	return checkTree(folder, tree, given)
}

func openCheckpoint(folder string) (tlog.Tree, error) {
	vkeys, err := os.ReadFile(filepath.Join(folder, "vkey"))
	if err != nil {
		return tlog.Tree{}, err
	}
	var known []note.Verifier
	for _, line := range strings.Fields(string(vkeys)) {
		verifier, err := verifierOf(line)
		if err != nil {
			return tlog.Tree{}, fmt.Errorf("vkey: %w", err)
		}
		known = append(known, verifier)
	}
	raw, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(raw, note.VerifierList(known...))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("note: %w", err)
	}
	if len(opened.Sigs) != len(known) {
		return tlog.Tree{}, fmt.Errorf("note: %d of %d known keys signed", len(opened.Sigs), len(known))
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != known[0].Name() {
		return tlog.Tree{}, fmt.Errorf("origin: %q", origin)
	}
	tree, err := tlog.ParseTree([]byte(sumdb + rest))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("tree: %w", err)
	}
	return tree, nil
}

// cosigner is a witness: sumdb/note knows plain signatures only, and takes any verifier.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	signed := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", at)), msg...)
	return ed25519.Verify(c.key, signed, sig[8:])
}

func verifierOf(vkey string) (note.Verifier, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	material, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(material) != 1+ed25519.PublicKeySize || material[0] != 4 {
		return note.NewVerifier(vkey)
	}
	sum := sha256.Sum256(append([]byte(name+"\n"), material...))
	return cosigner{name, binary.BigEndian.Uint32(sum[:]), material[1:]}, nil
}

// checkTree reads every tile and every bundle, each against the root.
func checkTree(folder string, tree tlog.Tree, given proofs) error {
	reader := tlog.TileHashReader(tree, tiles(folder))
	leaves := make([]tlog.Hash, 0, tree.N)
	for first := int64(0); first < tree.N; first += width {
		count := min(width, tree.N-first)
		indexes := make([]int64, count)
		for at := range indexes {
			indexes[at] = tlog.StoredHashIndex(0, first+int64(at))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			return fmt.Errorf("tiles of %d: %w", first, err)
		}
		bundle := tlog.Tile{H: height, L: -1, N: first / width, W: int(count)}
		entries, err := entriesOf(folder, bundle)
		if err != nil {
			return err
		}
		for at, entry := range entries {
			if tlog.RecordHash(entry) != hashes[at] {
				return fmt.Errorf("%s: entry %d", pathOf(bundle), first+int64(at))
			}
		}
		leaves = append(leaves, hashes...)
	}
	for _, one := range given.Inclusion {
		if leaves[one.Index] != one.Leaf {
			return fmt.Errorf("leaf %d", one.Index)
		}
		// The proof that Go makes of these tiles is the one that was given.
		made, err := tlog.ProveRecord(tree.N, one.Index, reader)
		if err != nil || fmt.Sprint(made) != fmt.Sprint(one.Proof) {
			return fmt.Errorf("inclusion %d: another proof: %v", one.Index, err)
		}
	}
	for _, one := range given.Consistency {
		made, err := tlog.ProveTree(tree.N, one.Size, reader)
		if err != nil || fmt.Sprint(made) != fmt.Sprint(one.Proof) {
			return fmt.Errorf("consistency %d: another proof: %v", one.Size, err)
		}
	}
	return nil
}

func entriesOf(folder string, bundle tlog.Tile) ([][]byte, error) {
	data, err := os.ReadFile(filepath.Join(folder, pathOf(bundle)))
	if err != nil {
		return nil, fmt.Errorf("%s: missing", pathOf(bundle))
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s: truncated", pathOf(bundle))
		}
		length := int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	if len(entries) != bundle.W {
		return nil, fmt.Errorf("%s: %d entries", pathOf(bundle), len(entries))
	}
	return entries, nil
}

// pathOf is the name of tlog-tiles for a tile of tlog: no height, and `entries` for `data`.
func pathOf(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

// tiles reads the tiles of a folder.
type tiles string

func (tiles) Height() int                     { return height }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (folder tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(wanted))
	for at, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(string(folder), pathOf(tile)))
		if err != nil {
			return nil, fmt.Errorf("%s: missing", pathOf(tile))
		}
		read[at] = data
	}
	return read, nil
}

// Making

func makeLogs(folder string, sizes []string) error {
	private, vkey, err := note.GenerateKey(rand.Reader, "go.example/log")
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		return err
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for at, index := range indexes {
			found[at] = stored[index]
		}
		return found, nil
	})
	roots := map[int64]tlog.Hash{}
	var done int64
	for _, word := range sizes {
		size, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return err
		}
		for ; done < size; done++ {
			hashes, err := tlog.StoredHashes(done, []byte(fmt.Sprintf("entry %d", done)), reader)
			if err != nil {
				return err
			}
			stored = append(stored, hashes...)
		}
		if roots[size], err = tlog.TreeHash(size, reader); err != nil {
			return err
		}
		if err := makeLog(filepath.Join(folder, word), size, reader, roots, signer, vkey); err != nil {
			return err
		}
	}
	return nil
}

func makeLog(
	folder string, size int64, reader tlog.HashReader, roots map[int64]tlog.Hash,
	signer note.Signer, vkey string,
) error {
	text := tlog.FormatTree(tlog.Tree{N: size, Hash: roots[size]})
	text = append([]byte(signer.Name()+"\n"), bytes.TrimPrefix(text, []byte(sumdb))...)
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
	if err != nil {
		return err
	}
	var made proofs
	for _, index := range []int64{0, size / 2, size - 1} {
		proof, err := tlog.ProveRecord(size, index, reader)
		if err != nil {
			return err
		}
		leaf := tlog.RecordHash([]byte(fmt.Sprintf("entry %d", index)))
		made.Inclusion = append(made.Inclusion, inclusion{index, leaf, proof})
	}
	for old, root := range roots {
		proof, err := tlog.ProveTree(size, old, reader)
		if err != nil {
			return err
		}
		made.Consistency = append(made.Consistency, consistency{old, root, proof})
	}
	encoded, err := json.Marshal(made)
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"vkey": []byte(vkey + "\n"), "checkpoint": signed, "proofs.json": encoded,
	}
	for _, tile := range tlog.NewTiles(height, 0, size) {
		if files[pathOf(tile)], err = tlog.ReadTileData(tile, reader); err != nil {
			return err
		}
	}
	for path, data := range files {
		path = filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
