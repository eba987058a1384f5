/* Slices of a pie and their labels, in the words of d3 3. */
function slices(where) {
  var svg = where.append('svg').attr({width: 500, height: 300}).append('g')
    .attr('transform', 'translate(250,150)');
  var colors = d3.scale.category20();
  var arc = d3.svg.arc().innerRadius(50).outerRadius(100);
  var layout = d3.layout.pie().sort(null).value(function(d) { return d.value; });
  return function(counts) {
    var path = svg.selectAll('path.slice').data(layout(counts), function(d) { return d.data.label; });
    path.enter().append('path').attr('class', 'slice')
      .style('fill', function(d) { return colors(d.data.label); });
    path.attr('d', arc).attr('data-label', function(d) { return d.data.label; });
    path.exit().remove();
  };
}
