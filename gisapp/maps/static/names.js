/* Names of neighbourhoods and streets: drawn on one canvas, the important ones first, none over another. */
(function () {
  "use strict";

  var FONT = '"Source Sans", "Source Sans 3", "Segoe UI", system-ui, sans-serif';
  var HALO = "rgba(252, 250, 245, .92)";

  function overlaps(a, b) {
    return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  }

  /* The middle of the straightest piece of a line that is at least `wanted` pixels long. */
  function straightPiece(points, wanted) {
    var best = null;
    for (var i = 0; i < points.length - 1; i++) {
      var along = 0;
      for (var j = i + 1; j < points.length; j++) {
        along += points[j].distanceTo(points[j - 1]);
        var chord = points[j].distanceTo(points[i]);
        if (along - chord > 0.03 * along) break;
        if (chord >= wanted && (!best || chord > best.chord)) {
          best = { chord: chord, from: points[i], to: points[j] };
        }
      }
    }
    return best;
  }

  L.TrefpuntNames = L.Layer.extend({
    initialize: function (names, options) {
      this._names = names;
      L.setOptions(this, options);
    },

    onAdd: function (map) {
      this._canvas = L.DomUtil.create("canvas", "leaflet-zoom-hide", map.getPane(this.options.pane));
      this._canvas.style.pointerEvents = "none";
      this._draw();
    },

    /* `marks` are the places drawn, the largest first; their names appear last and yield to the others. */
    setPlaces: function (marks, names) {
      this._places = marks.filter(function (mark) { return names[mark.number]; });
      this._placeNames = names;
      this._draw();
    },

    onRemove: function () {
      L.DomUtil.remove(this._canvas);
    },

    getEvents: function () {
      return { moveend: this._draw, resize: this._draw };
    },

    _draw: function () {
      var map = this._map, size = map.getSize(), scale = window.devicePixelRatio || 1;
      var canvas = this._canvas, zoom = map.getZoom();
      L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([0, 0]));
      canvas.width = size.x * scale;
      canvas.height = size.y * scale;
      canvas.style.width = size.x + "px";
      canvas.style.height = size.y + "px";
      var ctx = canvas.getContext("2d");
      ctx.scale(scale, scale);
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.lineJoin = "round";
      this._taken = [];
      if (zoom >= 11.5) this._drawAreas(ctx, zoom, size);
      if (zoom >= 15.25) this._drawStreets(ctx, zoom, size);
      if (zoom >= 16.75) this._drawPlaces(ctx, size);
    },

    _free: function (box) {
      for (var i = 0; i < this._taken.length; i++) if (overlaps(this._taken[i], box)) return false;
      this._taken.push(box);
      return true;
    },

    _drawAreas: function (ctx, zoom, size) {
      var map = this._map, px = Math.round(Math.min(16, 11 + (zoom - 12) * 1.2));
      ctx.font = "600 " + px + "px " + FONT;
      if ("letterSpacing" in ctx) ctx.letterSpacing = "1.5px";
      ctx.strokeStyle = HALO;
      ctx.lineWidth = 4;
      ctx.fillStyle = zoom >= 16.5 ? "rgba(60, 60, 54, .55)" : "#3c3c36";
      this._names.areas.forEach(function (area) {
        var p = map.latLngToContainerPoint([area[1], area[2]]);
        if (p.x < 0 || p.y < 0 || p.x > size.x || p.y > size.y) return;
        var words = area[0].toUpperCase(), half = ctx.measureText(words).width / 2 + 4;
        var x = Math.max(half, Math.min(size.x - half, p.x));
        if (!this._free([x - half, p.y - px, x + half, p.y + px])) return;
        ctx.strokeText(words, x, p.y);
        ctx.fillText(words, x, p.y);
      }, this);
      if ("letterSpacing" in ctx) ctx.letterSpacing = "0px";
    },

    _drawPlaces: function (ctx, size) {
      var map = this._map, names = this._placeNames;
      ctx.font = "italic 400 11px " + FONT;
      ctx.strokeStyle = HALO;
      ctx.lineWidth = 3;
      ctx.fillStyle = "#6b1a45";
      (this._places || []).forEach(function (mark) {
        var p = map.latLngToContainerPoint(mark.getLatLng()), words = names[mark.number].slice(0, 40);
        if (p.x < 0 || p.y < 0 || p.x > size.x || p.y > size.y) return;
        var half = ctx.measureText(words).width / 2, y = p.y + mark.getRadius() + 8;
        if (!this._free([p.x - half - 2, y - 7, p.x + half + 2, y + 7])) return;
        ctx.strokeText(words, p.x, y);
        ctx.fillText(words, p.x, y);
      }, this);
    },

    _drawStreets: function (ctx, zoom, size) {
      var map = this._map, px = zoom >= 17 ? 12 : 10.5, last = {}, view = map.getBounds();
      ctx.font = "400 " + px + "px " + FONT;
      ctx.strokeStyle = HALO;
      ctx.lineWidth = 3;
      ctx.fillStyle = "#55554d";
      this._names.streets.forEach(function (street) {
        street[2] = street[2] || L.latLngBounds(street[1]);
        if (!view.intersects(street[2])) return;
        var points = street[1].map(function (c) { return map.latLngToContainerPoint(c); });
        var width = ctx.measureText(street[0]).width + 8, piece = straightPiece(points, width);
        if (!piece) return;
        var x = (piece.from.x + piece.to.x) / 2, y = (piece.from.y + piece.to.y) / 2;
        if (x < 0 || y < 0 || x > size.x || y > size.y) return;
        var before = last[street[0]];
        if (before && Math.hypot(before[0] - x, before[1] - y) < 350) return;
        var turn = Math.atan2(piece.to.y - piece.from.y, piece.to.x - piece.from.x);
        if (turn > Math.PI / 2) turn -= Math.PI;
        if (turn < -Math.PI / 2) turn += Math.PI;
        var w = Math.abs(Math.cos(turn)) * width / 2 + 4, h = Math.abs(Math.sin(turn)) * width / 2 + px / 2;
        if (!this._free([x - w, y - h, x + w, y + h])) return;
        last[street[0]] = [x, y];
        ctx.save();
        ctx.translate(x, y);
        ctx.rotate(turn);
        ctx.strokeText(street[0], 0, 0);
        ctx.fillText(street[0], 0, 0);
        ctx.restore();
      }, this);
    }
  });
})();
